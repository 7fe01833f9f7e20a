export const REDIS_ROLES: string[];
export const HEALTH: string;
export function redisUsers(options: { prefix: string; passwords: Record<string, string> }): string;
export function rulesVersion(): string;
