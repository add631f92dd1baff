/** What a device has been asked to do so far; tests and `bench` read it, nothing else depends on it. */
export interface GpuCounters {
  submits: number;
  dispatches: number;
  buffersCreated: number;
  bindGroupsCreated: number;
  pipelinesCreated: number;
  /** Bytes copied back to the host. */
  bytesRead: number;
}

export function newCounters(): GpuCounters {
  return { submits: 0, dispatches: 0, buffersCreated: 0, bindGroupsCreated: 0, pipelinesCreated: 0, bytesRead: 0 };
}
