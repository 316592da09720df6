// The file of `--admission-control-config-file`: which plugin has which configuration, inline or in
// a file of its own. What a plugin's configuration means is read by plugin-configurations.ts.
//
//   apiVersion: apiserver.config.k8s.io/v1
//   kind: AdmissionConfiguration
//   plugins: [{name: PodSecurity, configuration: {…}}, {name: ResourceQuota, path: quota.yaml}]

import type { Features } from '../features/features.ts';
import {
  AdmissionConfigurationError,
  checkKind,
  readFields,
  readList,
  readText,
} from './configuration-reader.ts';
import { allOrderedPlugins } from './plugin-order.ts';

/** Decoded configurations by the name of the plugin. */
export type AdmissionConfiguration = ReadonlyMap<string, unknown>;

/** Reads and decodes a YAML file. A relative path is relative to the configuration file. */
export type ReadConfigurationFile = (path: string) => unknown;

const versions = ['apiserver.config.k8s.io/v1', 'apiserver.k8s.io/v1alpha1'];
/** Files without kind and version that two plugins had before this form existed. */
const oldForms: Readonly<Record<string, string>> = {
  imagePolicy: 'ImagePolicyWebhook',
  podNodeSelectorPluginConfig: 'PodNodeSelector',
};

/**
 * Takes the decoded file. Throws AdmissionConfigurationError for what is not such a file, for
 * plugins that the release does not know, and for files that cannot be read.
 */
export function parseAdmissionConfiguration(
  document: unknown,
  readFile: ReadConfigurationFile,
  features: Features,
): AdmissionConfiguration {
  const fields = readFields(document, '');
  const oldForm = Object.keys(oldForms).filter((field) => fields.has(field));
  if (!fields.has('kind') && oldForm.length > 0)
    return new Map(oldForm.map((field) => [oldForms[field] ?? '', document]));
  checkKind(fields, 'AdmissionConfiguration', versions);
  const known = new Set(allOrderedPlugins(features));
  const configurations = new Map<string, unknown>();
  for (const [i, item] of readList(fields.get('plugins'), 'plugins').entries()) {
    const plugin = readFields(item, `plugins[${i}]`);
    const name = readText(plugin.get('name'), `plugins[${i}].name`);
    if (!known.has(name))
      throw new AdmissionConfigurationError(
        `plugins[${i}].name: admission plugin ${JSON.stringify(name)} is unknown`,
      );
    const path = readText(plugin.get('path'), `plugins[${i}].path`);
    // The first entry of a name counts, and what stands inline before a path.
    if (configurations.has(name)) continue;
    const inline = plugin.get('configuration') ?? undefined;
    if (inline !== undefined) configurations.set(name, inline);
    else if (path !== '') configurations.set(name, readPluginFile(path, readFile));
  }
  return configurations;
}

function readPluginFile(path: string, readFile: ReadConfigurationFile): unknown {
  try {
    return readFile(path);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new AdmissionConfigurationError(
      `Couldn't open admission plugin configuration ${path}: ${why}`,
    );
  }
}
