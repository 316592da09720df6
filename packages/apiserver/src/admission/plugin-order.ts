// All admission plugins of kube-apiserver in the order in which they run, with what each release
// knows and turns on by itself. The order is upstream's AllOrderedPlugins; it never depends on the
// order of a flag. A plugin that hangs on a feature gate is on and does nothing while the gate is
// off.

import type { Features } from '../features/features.ts';

interface PluginRelease {
  readonly name: string;
  /** Runs unless `--disable-admission-plugins` names it. */
  readonly defaultOn: boolean;
  /**
   * First and last minor of the releases that know the name; absent: since before 1.26, until
   * today.
   */
  readonly since?: number;
  readonly until?: number;
}

const on = (name: string, since?: number): PluginRelease =>
  since === undefined ? { name, defaultOn: true } : { name, defaultOn: true, since };
const off = (name: string, until?: number): PluginRelease =>
  until === undefined ? { name, defaultOn: false } : { name, defaultOn: false, until };

const order: readonly PluginRelease[] = [
  off('AlwaysAdmit'),
  off('NamespaceAutoProvision'),
  on('NamespaceLifecycle'),
  off('NamespaceExists'),
  off('SecurityContextDeny', 29),
  off('LimitPodHardAntiAffinityTopology'),
  on('LimitRanger'),
  on('ServiceAccount'),
  off('NodeRestriction'),
  on('TaintNodesByCondition'),
  off('AlwaysPullImages'),
  off('ImagePolicyWebhook'),
  on('PodSecurity'),
  off('PodNodeSelector'),
  on('Priority'),
  on('DefaultTolerationSeconds'),
  off('PodTolerationRestriction'),
  off('EventRateLimit'),
  off('ExtendedResourceToleration'),
  off('PersistentVolumeLabel', 30),
  on('DefaultStorageClass'),
  on('StorageObjectInUseProtection'),
  on('PodGroupProtection', 36),
  off('OwnerReferencesPermissionEnforcement'),
  on('PersistentVolumeClaimResize'),
  on('RuntimeClass'),
  on('CertificateApproval'),
  on('CertificateSigning'),
  on('ClusterTrustBundleAttest', 27),
  on('CertificateSubjectRestriction'),
  on('DefaultIngressClass'),
  off('DenyServiceExternalIPs'),
  on('PodTopologyLabels', 33),
  on('PodGroupWorkloadExists', 36),
  on('NodeDeclaredFeatureValidator', 35),
  on('JobValidation', 36),
  on('PodResizeValidator', 36),
  on('MutatingAdmissionPolicy', 32),
  on('MutatingAdmissionWebhook'),
  on('ValidatingAdmissionPolicy'),
  on('ValidatingAdmissionWebhook'),
  on('ResourceQuota'),
  off('AlwaysDeny'),
];

function knownTo(features: Features): readonly PluginRelease[] {
  const { minor } = features.emulated;
  return order.filter(({ since = 0, until = Infinity }) => since <= minor && minor <= until);
}

/** Every name that the emulated release knows, in running order. */
export function allOrderedPlugins(features: Features): string[] {
  return knownTo(features).map((plugin) => plugin.name);
}

/** The names that run without being asked for, in running order. */
export function defaultOnPlugins(features: Features): string[] {
  return knownTo(features).flatMap((plugin) => (plugin.defaultOn ? [plugin.name] : []));
}

export interface PluginFlags {
  /** As `--enable-admission-plugins`. */
  readonly enable: readonly string[];
  /** As `--disable-admission-plugins`. */
  readonly disable: readonly string[];
}

/** What is wrong with the flags, in kube-apiserver's words; empty when they can be used. */
export function pluginFlagErrors(flags: PluginFlags, features: Features): string[] {
  const known = new Set(allOrderedPlugins(features));
  const unknown = (flag: string, names: readonly string[]) =>
    names
      .filter((name) => !known.has(name))
      .map((name) => `${flag} plugin ${JSON.stringify(name)} is unknown`);
  const errors = [
    ...unknown('enable-admission-plugins', flags.enable),
    ...unknown('disable-admission-plugins', flags.disable),
  ];
  const disabled = new Set(flags.disable);
  const both = [...new Set(flags.enable)].filter((name) => disabled.has(name)).sort();
  if (both.length > 0)
    errors.push(
      `[${both.join(' ')}] in enable-admission-plugins and disable-admission-plugins overlapped`,
    );
  return errors;
}

/** The names to run, in order: what is on by itself or enabled, less what is disabled. */
export function enabledPlugins(flags: PluginFlags, features: Features): string[] {
  const enabled = new Set([
    ...defaultOnPlugins(features).filter((name) => !flags.disable.includes(name)),
    ...flags.enable,
  ]);
  return allOrderedPlugins(features).filter((name) => enabled.has(name));
}
