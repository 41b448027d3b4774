import type { OutboundEvent, OutboundOf } from '../protocol/outbound.ts';

/** A file whose bytes are already stored (or live elsewhere, at `url`); `data` where it is small enough for its frame. */
export interface FileEvent extends Omit<OutboundOf<'file'>, 'data' | 'size'> {
  id: string;
  size: number;
  data?: string | undefined;
}

/** What a channel applies: an outbound event whose file, if it is one, has been stored. */
export type ChannelEvent = Exclude<OutboundEvent, OutboundOf<'file'>> | FileEvent;
