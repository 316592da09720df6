// What people do with custom resources and kubectl: a definition with two versions of different
// shape and a conversion webhook, and objects of it. `${group}` is the group of the run, `${hook}` and
// `${ca}` are the webhook's address and authority.

import type { Step } from './script.ts';

const definition = `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: "backends.\${group}"}
spec:
  group: "\${group}"
  scope: Namespaced
  names: {plural: backends, singular: backend, kind: Backend, shortNames: [bk], categories: [all, edge]}
  conversion:
    strategy: Webhook
    webhook:
      conversionReviewVersions: [v1]
      clientConfig: {url: "\${hook}", caBundle: "\${ca}"}
  versions:
  - name: v1
    served: true
    storage: false
    deprecated: true
    subresources: &subresources
      status: {}
      scale: {specReplicasPath: .spec.replicas, statusReplicasPath: .status.replicas, labelSelectorPath: .status.selector}
    selectableFields: [{jsonPath: .spec.tier}, {jsonPath: .spec.host}]
    additionalPrinterColumns:
    - {name: Host, type: string, jsonPath: .spec.host}
    - {name: Port, type: integer, jsonPath: .spec.port}
    schema:
      openAPIV3Schema:
        type: object
        description: A place that requests are sent to.
        properties:
          spec:
            type: object
            required: [host]
            properties:
              host: {type: string, description: Name of the machine., maxLength: 40}
              port: {type: integer, minimum: 1, maximum: 65535, default: 80}
              replicas: {type: integer, default: 1}
              tier: {type: string, enum: [gold, silver], default: silver}
          status: &status
            type: object
            properties: {replicas: {type: integer}, phase: {type: string}, selector: {type: string}}
  - name: v2
    served: true
    storage: true
    subresources: *subresources
    selectableFields: [{jsonPath: .spec.tier}]
    additionalPrinterColumns:
    - {name: Address, type: string, jsonPath: .spec.address}
    - {name: Tier, type: string, jsonPath: .spec.tier, priority: 1}
    - {name: Age, type: date, jsonPath: .metadata.creationTimestamp}
    schema:
      openAPIV3Schema:
        type: object
        description: A place that requests are sent to.
        properties:
          spec:
            type: object
            required: [address]
            properties:
              address: {type: string, description: Name and port of the machine.}
              replicas: {type: integer, default: 1}
              tier: {type: string, enum: [gold, silver], default: silver}
              extra: {type: object, x-kubernetes-preserve-unknown-fields: true}
              limit: {x-kubernetes-int-or-string: true}
          status: *status
`;
const first = `apiVersion: "\${group}/v1"
kind: Backend
metadata: {name: first}
spec: {host: first.example}
`;
const second = `apiVersion: "\${group}/v2"
kind: Backend
metadata: {name: second, labels: {app: second}}
spec: {address: "second.example:443", tier: gold, limit: 50%, extra: {any: {thing: [1, two]}}}
`;

const migration = `apiVersion: storagemigration.k8s.io/v1beta1
kind: StorageVersionMigration
metadata: {name: "m-\${group}"}
spec: {resource: {group: "\${group}", resource: backends}}
`;

/** In order: later steps use what earlier ones made. */
export const customResourceScript: readonly Step[] = [
  { run: 'create -f -', stdin: definition, expect: /backends\.\S+ created/, cluster: true },
  {
    run: 'wait crd/backends.${group} --for=condition=Established --timeout=10s',
    expect: /condition met/,
    cluster: true,
  },
  {
    run: 'api-resources --api-group=${group}',
    expect: /backends\s+bk\s+\S+\/v2\s+true\s+Backend/,
    cluster: true,
  },
  { run: 'create -f -', stdin: first, expect: /backend\.\S+\/first created/ },
  { run: 'apply -f -', stdin: second, expect: /backend\.\S+\/second created/ },
  { run: 'apply -f -', stdin: second, expect: /unchanged/ },
  { run: 'get bk', expect: /NAME\s+ADDRESS\s+AGE\nfirst\s+first\.example:80\s+\d+s\nsecond/ },
  { run: 'get bk -o wide', expect: /NAME\s+ADDRESS\s+TIER\s+AGE[\s\S]*gold/ },
  {
    run: 'get backends.v1.${group}',
    expect: /NAME\s+HOST\s+PORT[\s\S]*second\s+second.example\s+443/,
  },
  { run: 'get edge,cm', expect: /backend\.\S+\/first/ },
  { run: 'get backend first -o jsonpath={.spec}', expect: /"replicas":1,"tier":"silver"/ },
  { run: 'get bk --field-selector spec.tier=gold -o name', expect: /^backend\.\S+\/second$/ },
  {
    run: 'get bk --field-selector spec.address=x',
    expect: /field label not supported: spec.address/,
    fails: true,
  },
  { run: 'get bk -l app=second -o name', expect: /^backend\.\S+\/second$/ },
  { run: 'explain backends', expect: /DESCRIPTION:\s+A place that requests/, cluster: true },
  {
    run: 'explain backends.spec.host --api-version=${group}/v1',
    expect: /Name of the machine\./,
    cluster: true,
  },
  { run: 'explain bk.spec --recursive', expect: /address\s+<string>[\s\S]*tier/, cluster: true },
  {
    run: 'apply -f -',
    stdin: first.replace('host:', 'hots:'),
    expect: /unknown field "spec.hots"|missing required field "host"|spec.host: Required value/,
    fails: true,
  },
  {
    run: 'apply -f - --validate=false',
    stdin: second.replace('tier: gold', 'tier: gold, nothing: 1'),
    expect: /configured|unchanged/,
  },
  { run: 'get bk second -o jsonpath={.spec.nothing}{.spec.extra.any.thing[1]}', expect: /^two$/ },
  {
    run: 'patch backends.v1.${group} first --type=merge -p {"spec":{"port":0}}',
    expect: /spec\.port: Invalid value: 0: spec\.port in body should be greater than or equal to 1/,
    fails: true,
  },
  {
    run: 'patch bk first --type=json -p [{"op":"replace","path":"/spec/tier","value":"lead"}]',
    expect: /spec\.tier: Unsupported value: "lead": supported values: "gold", "silver"/,
    fails: true,
  },
  {
    run: 'patch backends.v1.${group} first --type=merge -p {"spec":{"port":81}}',
    expect: /patched/,
  },
  { run: 'get bk first -o jsonpath={.spec.address}', expect: /^first\.example:81$/ },
  { run: 'scale bk first --replicas=3', expect: /scaled/ },
  {
    run: 'patch bk first --subresource=status --type=merge -p {"status":{"phase":"Up"},"spec":{"replicas":9}}',
    expect: /patched/,
  },
  {
    run: 'get bk first -o jsonpath={.spec.replicas}{.status.phase}{.metadata.generation}',
    expect: /^3Up3$/,
  },
  { run: 'wait bk/first --for=jsonpath={.status.phase}=Up --timeout=5s', expect: /condition met/ },
  {
    run: 'apply --server-side -f -',
    stdin: second.replace('second.example:443', 'second.example:444'),
    expect: /conflict/,
    fails: true,
  },
  {
    run: 'apply --server-side --force-conflicts -f -',
    stdin: second.replace('second.example:443', 'second.example:444'),
    expect: /serverside-applied/,
  },
  { run: 'label bk second tier=edge', expect: /labeled/ },
  { run: 'describe bk second', expect: /Kind:\s+Backend[\s\S]*second\.example:444/ },
  { run: 'create -f -', stdin: migration, expect: /created/, cluster: true },
  {
    run: 'wait storageversionmigration/m-${group} --for=condition=Succeeded --timeout=20s',
    expect: /condition met/,
    cluster: true,
  },
  {
    run: 'get storageversionmigrations m-${group}',
    expect: /NAME\s+RESOURCE\s+STATUS\nm-\S+\s+backends\.\S+\s+Succeeded/,
    cluster: true,
  },
  {
    run: 'get crd backends.${group} -o jsonpath={.status.storedVersions}',
    expect: /^\["v2"\]$/,
    cluster: true,
  },
  { run: 'delete storageversionmigration m-${group}', expect: /deleted/, cluster: true },
  { run: 'delete bk second --timeout=10s', expect: /"second" deleted/ },
  { run: 'delete crd backends.${group} --timeout=20s', expect: /deleted/, cluster: true },
  { run: 'get backends.${group}', expect: /the server doesn't have a resource type/, fails: true },
];
