// Bounds of resource.k8s.io. They keep the work of allocating devices finite, so they are part of
// the API.

export const requestsMax = 32;
export const constraintsMax = 32;
export const configsMax = 32;
export const selectorsMax = 32;
export const subRequestsMax = 8;
export const tolerationsMax = 16;
export const allocationResultsMax = 32;
export const reservedForMax = 256;
export const expressionBytesMax = 10 * 1024;
export const parametersBytesMax = 10 * 1024;
export const poolNameBytesMax = 253;
export const devicesMax = 128;
/** Devices with taints or counters cost more to look at. */
export const advancedDevicesMax = 64;
export const attributesAndCapacitiesMax = 32;
export const attributeBytesMax = 64;
export const domainBytesMax = 63;
export const identifierBytesMax = 32;
export const taintsMax = 16;
export const counterSetsMax = 8;
export const countersMax = 32;
export const counterConsumptionsMax = 2;
export const bindingConditionsMax = 4;
export const interfaceNameBytesMax = 256;
export const hardwareAddressBytesMax = 128;
export const networkAddressesMax = 16;
export const statusConditionsMax = 8;
export const statusDataBytesMax = 10 * 1024;
