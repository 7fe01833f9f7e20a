/**
 * Where a list goes on: the time of the last item (epoch ms) and the ids that order items of the same time. It names a
 * place, not a number of items, so that what comes, goes or moves in between neither hides nor repeats anything.
 */
export interface Cursor {
  /** Epoch ms. */
  at: number;
  /** Ids that order items of the same time. */
  ids: string[];
}

/** A cursor as text that is safe in an address and on a command line. */
export function writeCursor({ at, ids }: Cursor): string {
  return Buffer.from(JSON.stringify([at, ...ids])).toString('base64url');
}

/**
 * @param ids how many ids there must be
 * @returns undefined when the text is no such cursor
 */
export function readCursor(text: string | undefined, ids: number): Cursor | undefined {
  if (!text || !/^[\w-]{1,4096}$/.test(text)) return undefined;
  try {
    const [at, ...rest] = JSON.parse(Buffer.from(text, 'base64url').toString('utf8')) as unknown[];
    if (!Number.isSafeInteger(at) || (at as number) < 0 || rest.length !== ids) return undefined;
    return rest.every((id) => typeof id === 'string') ? { at: at as number, ids: rest as string[] } : undefined;
  } catch {
    return undefined;
  }
}

/** Lua: the order of strings in a sorted set is that of their bytes, while Lua's own goes by locale. */
export const BYTE_ORDER_LUA = `
local function less(a, b)
  for i = 1, math.min(#a, #b) do
    local x, y = string.byte(a, i), string.byte(b, i)
    if x ~= y then return x < y end
  end
  return #a < #b
end
-- The first rank from low to high at which isAfter holds; high when it holds nowhere. It must not hold before.
local function firstRank(low, high, isAfter)
  while low < high do
    local middle = math.floor((low + high) / 2)
    if isAfter(middle) then high = middle else low = middle + 1 end
  end
  return low
end
`;
