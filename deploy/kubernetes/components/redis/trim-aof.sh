#!/bin/sh
# Cuts off what a power cut has left unfinished at the end of Redis's append-only file, before Redis loads it:
# trim-aof.sh <folder of Redis>. Used by docker-compose.yml, by Kubernetes and by `npm start`.
#
# Redis itself (`aof-load-truncated yes`) cuts a file that ends within a transaction after the last whole command and not before
# the transaction. Its beginning stays, is carried out when the file is loaded the next time, together with what was
# written since; and `redis-check-aof --fix` takes away all that was written since. https://github.com/valkey-io/valkey/pull/4342
# So Redis is run with `aof-load-truncated no`, and this cuts before the transaction. Never more than MOST bytes: what was not yet
# synced is less. If more is damaged, the disk is, and Redis says why it does not start.
set -u
umask 077
MOST=8388608
check=${REDIS_CHECK_AOF:-redis-check-aof}
folder=$1/appendonlydir

[ -f "$folder/appendonly.aof.manifest" ] || exit 0
# Only the last file can be unfinished: with `appendfsync always` Redis has synced the others before it began this one.
file=$folder/$(awk '$5 == "type" && $6 == "i" { name = $2 } END { print name }' "$folder/appendonly.aof.manifest")
[ -f "$file" ] && [ -s "$file" ] || exit 0
if ! command -v "$check" > /dev/null; then
  echo "trim-aof: there is no $check: an append-only file that ends within a transaction is not repaired" >&2
  exit 0
fi
report=$("$check" "$file" 2>&1) && exit 0
damaged=$(printf '%s\n' "$report" | sed -n 's/.* diff=\([0-9][0-9]*\).*/\1/p' | tail -n 1)
if [ -z "$damaged" ] || [ "$damaged" -gt "$MOST" ]; then
  echo "trim-aof: $file is damaged, and not at its end alone (${damaged:-?} bytes): see docs/runbooks/redis-down.md" >&2
  exit 0
fi
# A disk that damages what it has confirmed looks the same as a power cut: what is cut off is kept, the last such end.
kept=$1/unfinished.aof
if ! tail -c "$damaged" "$file" > "$kept"; then
  echo "trim-aof: $kept cannot be written: nothing is cut off $file" >&2
  exit 0
fi
if printf 'y\n' | "$check" --fix "$file" > /dev/null 2>&1; then
  echo "trim-aof: cut off $damaged bytes that were unfinished at the end of $file, and keeps them in $kept" >&2
else
  echo "trim-aof: $check could not cut off $damaged unfinished bytes at the end of $file: see docs/runbooks/redis-down.md" >&2
fi
