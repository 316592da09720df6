// Starts the chosen controllers beside a server. They are ordinary clients of it: what they read,
// they read as the controller manager, what they write, each writes as its own service account with
// the rights that the default policy gives it.

import { formatGroupResource, type Clock, type Random } from '@keelson/apimachinery';
import type { Features, Logger, ServeRequest } from '@keelson/apiserver';
import { createInformers, type Client } from '@keelson/client';
import type { ControllerContext, ControllerMetrics } from '@keelson/controllers';
import type { ControllerInputs } from './controller-description.ts';
import { controllerDescriptions } from './controller-descriptions.ts';
import type { ControllerName } from './controller-list.ts';
import { controllerUser, createInProcessClient, type UserSpec } from './in-process-client.ts';

export interface StartControllersOptions extends ControllerInputs {
  readonly names: ReadonlySet<ControllerName>;
  readonly serve: ServeRequest;
  readonly features: Features;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly metrics: ControllerMetrics;
  /** Freezes what the informers hold. */
  readonly freeze?: boolean;
}

export interface RunningControllers {
  /** Resolves when none of them does anything any more. */
  stop(): Promise<void>;
}

const reader: UserSpec = { name: 'system:kube-controller-manager' };
const managerAgent = 'kube-controller-manager';

export function startControllers(options: StartControllersOptions): RunningControllers {
  const { names, serve, features, clock, random, logger, metrics, freeze = false } = options;
  const stop = new AbortController();
  const clients: Client[] = [];
  const clientOf = (user: UserSpec, userAgent = managerAgent) => {
    const client = createInProcessClient({ serve, user, userAgent, clock, random });
    clients.push(client);
    return client;
  };
  const readingClient = clientOf(reader);
  const informers = createInformers(
    {
      client: readingClient,
      clock,
      random,
      freeze,
      onError: (error, resource) =>
        logger.warn('controllers cannot watch', {
          resource: formatGroupResource(resource),
          error: error instanceof Error ? error.message : String(error),
        }),
    },
    stop.signal,
  );
  const isThere = (name: ControllerName) => {
    const { gate } = controllerDescriptions[name];
    return gate === undefined || features.enabled(gate);
  };
  const shown = createShowing(metrics);
  const running = [...names].filter(isThere).map((name) => {
    const {
      account,
      create,
      userAgent,
      user = account && controllerUser(account),
    } = controllerDescriptions[name];
    const log: ControllerContext['log'] = {
      warn(message, fields) {
        // What cannot be finished when they are stopped is no failure.
        if (!stop.signal.aborted) logger.warn(message, { controller: name, ...fields });
      },
    };
    const client = user ? clientOf(user, userAgent) : readingClient;
    const { isEnabled } = options;
    const context: ControllerContext = {
      client,
      informers,
      clock,
      random,
      log,
      metrics,
      isEnabled,
    };
    const controller = create(context, { ...options, readingClient });
    return controller && shown(name, controller.run(stop.signal));
  });
  return {
    async stop() {
      stop.abort(new Error('the controllers are being stopped'));
      await Promise.all(running);
      for (const client of clients) client.close();
    },
  };
}

/** Shows in metrics that a controller runs, for as long as it does. */
function createShowing(metrics: ControllerMetrics) {
  const instances = metrics.gauge(
    'running_managed_controllers',
    '[ALPHA] Indicates where instances of a controller are currently running',
  );
  return async (name: ControllerName, running: Promise<void>): Promise<void> => {
    // The scheduler is managed by nobody.
    if (name === 'kube-scheduler') return running;
    const labels = { manager: managerAgent, name };
    instances.set(labels, 1);
    await running;
    instances.set(labels, 0);
  };
}
