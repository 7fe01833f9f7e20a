import { clientOf } from '@wrapup/call';
import type { DeliveryState, LedgerEntry } from '@wrapup/queue';
import type { Command } from 'commander';
import { findCall } from '../../calls/find-call.ts';
import type { ReplayPreview } from '../../calls/preview-replays.ts';
import { addClientOption, withFullNames } from '../../connect/client-option.ts';
