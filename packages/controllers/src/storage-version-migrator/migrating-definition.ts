// What a CustomResourceDefinition says of a migration of its objects: the condition
// StorageMigrating, and, once all of them are written again, that they are stored in the storage
// version only. That is true only if the definition has not changed since the migration began.

import {
  findCondition,
  formatTime,
  isStatusError,
  transitionTime,
  type GroupResource,
} from '@keelson/apimachinery';
import type { CustomResourceDefinition } from '@keelson/apimachinery/types/apiextensions.k8s.io.v1';
import type { ControllerContext } from '../machinery/controller.ts';
import { customResourceDefinitionsResource } from '../machinery/resources.ts';

const fieldManager = 'migration-runner-controller';
const conditionType = 'StorageMigrating';
/** As client-go's RetryOnConflict; then the migration is tried again from the start. */
const triesMax = 5;

export async function tellMigrationRuns(
  context: ControllerContext,
  { resource, name }: { readonly resource: GroupResource; readonly name: string },
  signal: AbortSignal,
): Promise<void> {
  await writeStatus(context, resource, signal, (definition) => ({
    condition: {
      status: 'True',
      reason: 'MigrationRunning',
      message: `Migration ${name} is running`,
    },
    storedVersions: definition.status?.storedVersions ?? [],
  }));
}

export async function tellMigrationEnded(
  context: ControllerContext,
  { resource, succeeded }: { readonly resource: GroupResource; readonly succeeded: boolean },
  signal: AbortSignal,
): Promise<void> {
  await writeStatus(context, resource, signal, (definition) => {
    const { storedVersions = [], conditions } = definition.status ?? {};
    if (!succeeded) {
      const message = 'The migration has failed';
      return { condition: { status: 'False', reason: 'MigrationFailed', message }, storedVersions };
    }
    const begun = findCondition(conditions, conditionType);
    const isUnchanged = begun?.observedGeneration === definition.metadata.generation;
    const what = isUnchanged
      ? 'and the stored versions have been updated'
      : 'but the stored versions have not been updated due to a generation mismatch';
    return {
      condition: {
        status: 'False',
        reason: 'MigrationSucceeded',
        message: `The migration has succeeded ${what}`,
      },
      storedVersions: isUnchanged ? storageVersionsOf(definition) : storedVersions,
    };
  });
}

interface ToldStatus {
  readonly condition: {
    readonly status: string;
    readonly reason: string;
    readonly message: string;
  };
  /** Always told: what a manager once applied and leaves out later is removed. */
  readonly storedVersions: readonly string[] | null;
}

/** Nothing where the resource is no custom one. */
async function writeStatus(
  { client, clock }: ControllerContext,
  { group, resource }: GroupResource,
  signal: AbortSignal,
  tell: (definition: CustomResourceDefinition) => ToldStatus,
): Promise<void> {
  const definitions = client.resource<CustomResourceDefinition>(customResourceDefinitionsResource);
  const name = `${resource}.${group}`;
  for (let tries = 1; ; tries++) {
    try {
      const definition = await definitions.get(name, { signal });
      const { resourceVersion, generation } = definition.metadata;
      const { condition, storedVersions } = tell(definition);
      const before = findCondition(definition.status?.conditions, conditionType);
      const lastTransitionTime = transitionTime(before, condition.status, formatTime(clock.now()));
      const applied = {
        apiVersion: 'apiextensions.k8s.io/v1',
        kind: 'CustomResourceDefinition',
        // What was read must still be so: the generation stands for what is stored.
        metadata: { name, resourceVersion },
        status: {
          conditions: [
            {
              type: conditionType,
              ...condition,
              lastTransitionTime,
              observedGeneration: generation,
            },
          ],
          storedVersions,
        },
      };
      await definitions.apply(applied as CustomResourceDefinition, {
        subresource: 'status',
        fieldManager,
        force: true,
        signal,
      });
      return;
    } catch (error) {
      if (isStatusError(error, 'NotFound')) return;
      if (!isStatusError(error, 'Conflict') || tries === triesMax) throw error;
    }
  }
}

function storageVersionsOf({ spec }: CustomResourceDefinition): string[] {
  return (spec.versions ?? []).filter(({ storage }) => storage).map(({ name }) => name);
}
