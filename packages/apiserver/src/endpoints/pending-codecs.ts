import { DecodeError, encodeJson, type KubeObject } from '@keelson/apimachinery';
export function decodeProtobuf(_b: Uint8Array): { object: KubeObject } { throw new DecodeError('no protobuf', 'syntax'); }
export function encodeProtobuf(o: KubeObject): Uint8Array { return encodeJson(o); }
export function encodeProtobufWatchEvent(_t: string, o: KubeObject): Uint8Array { return encodeJson(o); }
export class ApplyConflictError extends Error { causes: { reason?: string; message?: string; field?: string }[] = []; }
export interface FieldManager { update(l: KubeObject, o: KubeObject, x: { manager: string; apiVersion: string; subresource: string }): KubeObject; apply(l: KubeObject, a: KubeObject, x: { manager: string; apiVersion: string; subresource: string; force: boolean }): KubeObject }
export function createFieldManager(_o: unknown): FieldManager { return { update: (_l, o) => o, apply: (_l, a) => a }; }
