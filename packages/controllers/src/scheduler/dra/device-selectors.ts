// Compiles the CEL selectors of device classes and requests, each text once, and evaluates them.

import { formatIssues, isError, type Program } from '@keelson/cel';
import {
  createEnvironmentSet,
  deviceSelectorEnvironment,
  deviceSelectorValue,
} from '@keelson/cel/kubernetes';
import type { Device, DeviceSelector } from '@keelson/apimachinery/types/resource.k8s.io.v1';

export interface DeviceSelectors {
  /** Throws what users read: `about` is whose selector it is. */
  matches(about: string, selectors: readonly DeviceSelector[], device: DriverDevice): boolean;
}
export interface DriverDevice {
  readonly driver: string;
  readonly device: Device;
}

/** Expressions that are kept compiled. */
const programsMax = 1_024;
/** The API refuses expressions that could cost more. */
const costMax = 1_000_000;

export function createDeviceSelectors(): DeviceSelectors {
  const { storedExpressions } = createEnvironmentSet({
    compatibilityVersion: { major: 1, minor: 36 },
    authorizerSelectors: true,
  });
  const environment = deviceSelectorEnvironment(storedExpressions);
  const programs = new Map<string, Program>();
  const programOf = (expression: string, about: string): Program => {
    const known = programs.get(expression);
    if (known !== undefined) return known;
    const { program, issues } = environment.compile(expression);
    if (program === undefined)
      throw new Error(`${about}: CEL compile error: ${formatIssues(expression, issues)}`);
    if (programs.size >= programsMax) programs.clear();
    programs.set(expression, program);
    return program;
  };
  const values = new WeakMap<Device, ReturnType<typeof deviceSelectorValue>>();
  const valueOf = ({ driver, device }: DriverDevice) => {
    let value = values.get(device);
    if (value === undefined) {
      const { attributes = {}, capacity = {}, allowMultipleAllocations = false } = device;
      value = deviceSelectorValue({ driver, attributes, capacity, allowMultipleAllocations });
      values.set(device, value);
    }
    return value;
  };
  return {
    matches(about, selectors, device) {
      return selectors.every(({ cel }, i) => {
        if (cel === undefined) return true;
        const place = `${about}: selector #${i}`;
        const program = programOf(cel.expression, place);
        const { result } = program.evaluate({ device: valueOf(device) }, { costLimit: costMax });
        if (isError(result)) throw new Error(`${place}: CEL runtime error: ${result.message}`);
        return result === true;
      });
    },
  };
}
