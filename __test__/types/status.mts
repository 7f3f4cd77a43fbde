// What status() returns: every name, and one of the three owners.

import { PerformanceObserver, status, type ModuleName, type Owner } from 'ferronet';
import type perfHooks from 'node:perf_hooks';

const answer: Record<ModuleName, Owner> = status();
export const rust: boolean = answer.net === 'rust';

// @ts-expect-error `express` is no name ferronet stands for
status().express;

// @ts-expect-error nobody else answers
export const other: boolean = answer.http === 'deno';

export const observer: perfHooks.PerformanceObserver = new PerformanceObserver(() => {});
