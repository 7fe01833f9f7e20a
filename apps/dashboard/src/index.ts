export { createDashboard, type DashboardParts } from './dashboard.ts';
export { readOptions } from './options.ts';
