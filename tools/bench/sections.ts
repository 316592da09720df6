// The sections of docs/benchmarks.md, in its order.

import { bodiesSection } from './bodies.ts';
import { definitionsSection } from './definitions.ts';
import { celSection } from './expressions.ts';
import { fairnessSection } from './fairness.ts';
import { garbageCollectorSection } from './garbage-collector.ts';
import { nodesSection } from './nodes.ts';
import { policyTestsSection } from './policy-tests.ts';
import { rbacSection } from './rbac.ts';
import { http1Section, http2Section } from './requests.ts';
import { rollingUpdateSection } from './rolling-update.ts';
import { schedulingSection } from './scheduler.ts';
import type { Section } from './section.ts';
import { tokensSection } from './service-account-tokens.ts';
import { startSection } from './start.ts';
import { tracingSection } from './tracing.ts';

export const sections: readonly Section[] = [
  startSection,
  definitionsSection,
  celSection,
  bodiesSection,
  policyTestsSection,
  http1Section,
  http2Section,
  fairnessSection,
  rbacSection,
  schedulingSection,
  nodesSection,
  rollingUpdateSection,
  garbageCollectorSection,
  tokensSection,
  tracingSection,
];
