export { createDashboard, type DashboardParts } from './dashboard.ts';
export { type DashboardOptions, readOptions } from './options.ts';
