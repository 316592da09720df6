// Whose Endpoints they are: others must not be mirrored, nor touched.

export const endpointsManagedByLabel = 'endpoints.kubernetes.io/managed-by';
export const endpointsManagedBy = 'endpoint-controller';
