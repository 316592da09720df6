// What the flags of `keelson up` decide about the control plane. All is checked before anything is
// opened; what is wrong is a StartError.

import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { parseYaml, systemClock, systemRandom } from '@keelson/apimachinery';
import {
  createBuiltinVersions,
  createFeatures,
  parseAdmissionConfiguration,
  parseFeatureGates,
  parseRuntimeConfig,
  parseServiceRanges,
  type AdmissionConfiguration,
  type Features,
  type RuntimeConfig,
} from '@keelson/apiserver';
import { selectControllers } from '../controller-list.ts';
import { readControllerFlags } from './controller-flags.ts';
import { readNodes } from './node-flags.ts';
import { readRequestLimits } from './request-limit-flags.ts';
import { usage } from './start-error.ts';
import { readUpAuthorization } from './up-authorization-flags.ts';
import type { UpFlags } from './up-flags.ts';

/** Everything but who the users are, which needs keys. */
export function readUpChoices(flags: UpFlags) {
  const features = readFeatures(flags);
  const bounds = usage(() => readRequestLimits(flags));
  const controllers = usage(() => selectControllers(flags.controllers));
  const controllerChoices = usage(() =>
    readControllerFlags(flags, {
      clock: systemClock,
      random: systemRandom,
      isEnabled: (gate) => features.enabled(gate),
    }),
  );
  const admissionConfiguration = readAdmissionConfiguration(flags, features);
  const authorization = usage(() => readUpAuthorization(flags, features));
  return {
    features,
    ...bounds,
    nodes: usage(() => readNodes(flags)),
    snapshots: flags.snapshots === true,
    authorization,
    controllers,
    ...controllerChoices,
    runtimeConfig: readRuntimeConfig(flags, features),
    serviceRanges: usage(() => parseServiceRanges(flags.serviceClusterIpRange)),
    enableAggregatorRouting: flags.enableAggregatorRouting,
    enableAdmissionPlugins: flags.enableAdmissionPlugins,
    disableAdmissionPlugins: flags.disableAdmissionPlugins,
    ...(admissionConfiguration === undefined ? {} : { admissionConfiguration }),
  };
}

function readRuntimeConfig(flags: UpFlags, features: Features): RuntimeConfig {
  return usage(() => {
    const config = parseRuntimeConfig(flags.runtimeConfig);
    createBuiltinVersions(config, features);
    return config;
  });
}

/** `--admission-control-config-file`; paths in it are relative to it. */
function readAdmissionConfiguration(
  flags: UpFlags,
  features: Features,
): AdmissionConfiguration | undefined {
  const file = flags.admissionControlConfigFile;
  if (file === undefined) return undefined;
  const read = (path: string) => parseYaml(readFileSync(path, 'utf8')).value;
  return usage(() =>
    parseAdmissionConfiguration(read(file), (path) => read(resolve(dirname(file), path)), features),
  );
}

function readFeatures({ emulatedVersion, featureGates = '' }: UpFlags): Features {
  return usage(() =>
    createFeatures({
      ...(emulatedVersion === undefined ? {} : { emulatedVersion }),
      featureGates: parseFeatureGates(featureGates),
    }),
  );
}
