// Turns a request of any transport into a RequestContext and runs the pipeline.

import {
  createDecisionTrace,
  createUid,
  noDecisionTrace,
  type Clock,
  type DecisionStep,
  type DecisionTrace,
  type Random,
} from '@keelson/apimachinery';
import { anonymousUser } from './authentication/authenticator.ts';
import type { ServerLimits } from './config.ts';
import type { Logger } from './logger.ts';
import { parseRequestInfo } from './filters/request-info.ts';
import type { ApiRequest, ApiResponse } from './http.ts';
import type { RequestContext } from './request-context.ts';
import type { ServeRequest } from './transport/in-process.ts';
import { createWarningRecorder } from './warnings.ts';

export interface ServeOptions {
  readonly pipeline: (context: RequestContext) => Promise<void>;
  readonly clock: Clock;
  readonly random: Random;
  readonly limits: ServerLimits;
  readonly logger: Logger;
  /** Whether CBOR is spoken. */
  readonly cbor?: boolean;
}

/** The function it makes never rejects. */
export function createServe(options: ServeOptions): ServeRequest {
  return async (request, response) => {
    try {
      const context = createContext(request, response, options);
      response.setHeader('audit-id', context.auditId);
      await options.pipeline(context);
    } catch (error) {
      // The pipeline answers its own errors. What comes here could not even be answered, and must
      // neither leave the client waiting nor end the process.
      options.logger.error('answer failed', {
        error: error instanceof Error ? (error.stack ?? error.message) : String(error),
      });
      response.abort();
    }
  };
}

function createContext(
  request: ApiRequest,
  response: ApiResponse,
  options: ServeOptions,
): RequestContext {
  const warnings = createWarningRecorder(options.limits.warningRunesMax);
  const annotations = new Map<string, string>();
  const trace = traceOf(request, options.limits);
  return {
    request,
    response,
    cbor: options.cbor === true,
    info: parseRequestInfo(request.method, request.url),
    auditId: auditIdOf(request, options.random),
    user: anonymousUser,
    trace,
    signal: request.signal,
    receivedAtMs: options.clock.now(),
    warn: (text) => warnings.add(text),
    get warnings() {
      return warnings.texts;
    },
    annotate(key, value) {
      if (annotations.has(key)) return;
      annotations.set(key, value);
      if (trace.enabled) trace.record(annotationStep(key, value));
    },
    auditAnnotations: annotations,
  };
}

function traceOf({ trace, headers }: ApiRequest, limits: ServerLimits): DecisionTrace {
  if (trace !== undefined) return trace;
  if (headers['keelson-explain'] !== '1') return noDecisionTrace;
  const { traceStepsMax: stepsMax, traceReasonLengthMax: reasonLengthMax } = limits;
  return createDecisionTrace({ stepsMax, reasonLengthMax });
}

function annotationStep(key: string, value: string): DecisionStep {
  const detail = { key, value };
  return { stage: 'audit', by: 'annotation', outcome: 'no-opinion', reason: '', detail };
}

/** The client's own audit id when it is of a sensible form, else a new one. */
function auditIdOf(request: ApiRequest, random: Random): string {
  const given = request.headers['audit-id'];
  return typeof given === 'string' && /^[\x21-\x7e]{1,64}$/.test(given) ? given : createUid(random);
}
