/** How far an active run is. */
export type Phase = 'gateway-starting' | 'gateway-request' | 'gateway-tool';

/** `accepted`: its upstream has it; `latest_tool`: the tool that was heard of last. */
export function phaseOf({ accepted, latest_tool }: { accepted: boolean; latest_tool?: string }): Phase {
  if (latest_tool !== undefined) return 'gateway-tool';
  return accepted ? 'gateway-request' : 'gateway-starting';
}
