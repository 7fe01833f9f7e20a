export interface RedisServerCommand {
  command: string;
  env: Record<string, string>;
  /** Of its version. */
  major: number;
}
export interface RedisServer {
  url: string;
  port: number;
  pid: number;
  /** Its exit code or the signal that ended it. */
  exited: Promise<number | string>;
  stop(): Promise<void>;
}
export function findRedisServer(options?: { root?: string }): Promise<RedisServerCommand>;
export function startRedisServer(options: {
  dir: string;
  port?: number;
  appendonly?: boolean;
  args?: string[];
  password?: string;
  server?: RedisServerCommand;
  timeout?: number;
  orphaned?: 'SIGKILL' | 'SIGTERM';
}): Promise<RedisServer>;
export function ping(port: number, options?: { password?: string; timeout?: number }): Promise<boolean>;
