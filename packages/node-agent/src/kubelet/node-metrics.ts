// `/stats/summary`, `/metrics/resource` and `/metrics` of one node.

import { formatTime } from '@keelson/apimachinery';
import type { SimulatedNode } from '../simulated/simulated-node.ts';
import { nodeUsage, podUsage, type Usage } from './usage.ts';

const nanos = 1e9;

export function summaryOf({ name, pods }: SimulatedNode, now: number): object {
  const time = formatTime(now);
  const parts = ({ cpu, memory }: Usage) => ({
    cpu: { time, usageNanoCores: Math.round(cpu * nanos) },
    memory: { time, workingSetBytes: memory, usageBytes: memory },
  });
  const records = pods.list();
  return {
    node: { nodeName: name, startTime: time, ...parts(nodeUsage(records, now)) },
    pods: records.map((record) => {
      const containers = podUsage(record, now);
      const { metadata = {} } = record.pod;
      const cpu = containers.reduce((sum, used) => sum + used.cpu, 0);
      const memory = containers.reduce((sum, used) => sum + used.memory, 0);
      return {
        podRef: { name: metadata.name, namespace: metadata.namespace, uid: record.uid },
        startTime: formatTime(record.startTime),
        containers: containers.map((used) => ({
          name: used.name,
          startTime: formatTime(record.startTime),
          ...parts(used),
        })),
        ...parts({ cpu, memory }),
      };
    }),
  };
}

/** Prometheus' text form. */
export function resourceMetricsOf({ pods }: SimulatedNode, now: number): string {
  const records = pods.list();
  const node = nodeUsage(records, now);
  const memory = records.flatMap((record) =>
    podUsage(record, now).map(({ name, memory: bytes }) => {
      const { namespace, name: pod } = record.pod.metadata ?? {};
      const labels = `container="${name}",namespace="${namespace}",pod="${pod}"`;
      return `container_memory_working_set_bytes{${labels}} ${bytes} ${now}`;
    }),
  );
  return [
    '# TYPE container_memory_working_set_bytes gauge',
    ...memory,
    '# TYPE node_memory_working_set_bytes gauge',
    `node_memory_working_set_bytes ${node.memory} ${now}`,
    '',
  ].join('\n');
}

const driverService = '/k8s.io.kubelet.pkg.apis.dra.v1.DRAPlugin/';

/** What a kubelet says of drivers of devices; calls of simulated ones take no time. */
export function deviceMetricsOf({ devices }: SimulatedNode): string {
  const name = 'dra_grpc_operations_duration_seconds';
  const calls = devices.calls().flatMap(({ driver, method, count }) => {
    const path = `${driverService}${method}`;
    const labels = `driver_name="${driver}",grpc_status_code="OK",method_name="${path}"`;
    return [
      `${name}_bucket{${labels},le="+Inf"} ${count}`,
      `${name}_sum{${labels}} 0`,
      `${name}_count{${labels}} ${count}`,
    ];
  });
  const inUse = [...devices.inUse()].map(
    ([driver, count]) => `dra_resource_claims_in_use{driver_name="${driver}"} ${count}`,
  );
  return [
    `# TYPE ${name} histogram`,
    ...calls,
    '# TYPE dra_resource_claims_in_use gauge',
    ...inUse,
    '',
  ].join('\n');
}
