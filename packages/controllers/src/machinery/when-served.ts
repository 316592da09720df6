// A controller of custom resources, which may be defined later, or never: it begins when all of
// them are served.

import type { CustomResourceDefinition } from '@keelson/apimachinery/types/apiextensions.k8s.io.v1';
import type { Controller, ControllerContext } from './controller.ts';
import { customResourceDefinitionsResource } from './resources.ts';

/** `names`: of the definitions. `create` is called once, when all are established. */
export function whenServed(
  { informers }: ControllerContext,
  names: readonly string[],
  create: () => Controller,
): Controller {
  const definitions = informers.informer<CustomResourceDefinition>(
    customResourceDefinitionsResource,
  );
  const areServed = () => names.every((name) => isEstablished(definitions.store.get('', name)));
  return {
    async run(signal) {
      let unsubscribe = () => {};
      await new Promise<void>((resolve) => {
        const look = () => {
          if (signal.aborted || areServed()) resolve();
        };
        signal.addEventListener('abort', look, { once: true });
        unsubscribe = definitions.addHandler({ onAdd: look, onUpdate: look });
        look();
      });
      unsubscribe();
      if (!signal.aborted) await create().run(signal);
    },
  };
}

function isEstablished(definition: CustomResourceDefinition | undefined): boolean {
  const conditions = definition?.status?.conditions ?? [];
  return conditions.some(({ type, status }) => type === 'Established' && status === 'True');
}
