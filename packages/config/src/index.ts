export { CLIENTS_FOLDER } from './checks/compile-mapping-file.ts';
export { isLive, type TargetHost, targetHostOf } from './checks/target-host.ts';
export * from './clients/adopt-source.ts';
export { readClientKeys } from './clients/client-keys.ts';
export {
  type ConfigWatch,
  type ConfigWatchOptions,
  type LiveConfig,
  openConfig,
  watchConfig,
} from './config-reload.ts';
export { readDashboardAddress } from './dashboard-address.ts';
export { describeConfig } from './describe.ts';
export * from './destinations.ts';
export * from './edited-mapping.ts';
export { wrapupEditorSchema } from './editor-schema.ts';
export { isName, READS_PER_MINUTE, RECONCILE_DEFAULTS, wrapupSchema } from './file/schema.ts';
export { formatDuration, formatTimeOfDay, parseDuration } from './file/units.ts';
export { readVariable, secretFolders, VariableError } from './file/variables.ts';
export { type FixedFile, type FixedMappings, fixMappings } from './fix-mappings.ts';
export { KINDS } from './kinds.ts';
export * from './load.ts';
export * from './model/config.ts';
export type { Reader } from './model/reader.ts';
export * from './redis-settings.ts';
export { agentName, attemptsOf, chooseRoutes, isFrom, planCall, planStanding } from './routes.ts';
export * from './users/password-hash.ts';
export * from './users/users-file.ts';
