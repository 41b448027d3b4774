import type { AttachmentView, FileFrame } from '../../protocol/server-frames.ts';

/** What a frame does to the page: its rows begin, grow and end; a reply is processed between `begin` and `close`. */
export type FrameType =
  | 'begin'
  | 'start'
  | 'stream'
  | 'end'
  | 'end_cover'
  | 'close'
  | 'over'
  /** Of a frame that is the user's own, or no event at all. */
  | 'human';

export interface FileView {
  file_id: string;
  file_name: string;
  file_url: string;
  file_size: number;
}

/** A frame as Bisheng's pages know it (`ChatResponse`): always all of its fields. */
export interface ChatFrame {
  is_bot: boolean;
  message: unknown;
  type: FrameType;
  category: string;
  intermediate_steps: string;
  files: readonly FileView[];
  user_id: string;
  message_id: string | null;
  source: number;
  sender: string | null;
  receiver: object | null;
  liked: number;
  /** JSON. */
  extra: string;
  flow_id: string;
  chat_id: string;
  citations: readonly unknown[];
  citation_registry_items: readonly unknown[];
}

/** What a socket stands for: these are in every frame. */
export interface Place {
  user: string;
  flow: string;
  chat: string;
}

export function chatFrame(
  { user, flow, chat }: Place,
  category: string,
  type: FrameType,
  fields: Partial<ChatFrame> = {},
): ChatFrame {
  return {
    is_bot: true,
    message: '',
    type,
    category,
    intermediate_steps: '',
    files: [],
    user_id: user,
    message_id: null,
    source: 0,
    sender: null,
    receiver: null,
    liked: 0,
    extra: '{}',
    flow_id: flow,
    chat_id: chat,
    citations: [],
    citation_registry_items: [],
    ...fields,
  };
}

export function fileView({ id, filename, url, size }: FileFrame | AttachmentView): FileView {
  return { file_id: id, file_name: filename, file_url: url, file_size: size };
}
