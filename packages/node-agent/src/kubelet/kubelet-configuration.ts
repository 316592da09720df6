// The configuration of a simulated kubelet, as `/configz` shows it: what of a KubeletConfiguration
// is so on these nodes, and nothing that has no effect.

import type { JsonObject } from '@keelson/apimachinery';
import type { NodeStatus } from '@keelson/apimachinery/types/core.v1';

export function kubeletConfiguration({
  addresses = [],
  allocatable = {},
  daemonEndpoints = {},
}: NodeStatus): JsonObject {
  const { Port: port = 10_250 } = daemonEndpoints.kubeletEndpoint ?? {};
  return {
    kubeletconfig: {
      apiVersion: 'kubelet.config.k8s.io/v1beta1',
      kind: 'KubeletConfiguration',
      address: addresses.find(({ type }) => type === 'InternalIP')?.address ?? '',
      port,
      authentication: {
        x509: {},
        webhook: { enabled: true },
        anonymous: { enabled: false },
      },
      authorization: { mode: 'Webhook' },
      nodeStatusReportFrequency: '5m0s',
      nodeLeaseDurationSeconds: 40,
      maxPods: Number(allocatable['pods'] ?? 0),
      evictionHard: { 'memory.available': '100Mi' },
      enableControllerAttachDetach: true,
      enableDebuggingHandlers: true,
      serializeImagePulls: false,
      cpuManagerPolicy: 'none',
    },
  };
}
