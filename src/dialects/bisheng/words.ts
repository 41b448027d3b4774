import type {
  ChunkFrame,
  EditFrame,
  FileFrame,
  MessageFrame,
  PromptClosedFrame,
  PromptFrame,
  ToolFrame,
  TurnFrame,
} from '../../protocol/server-frames.ts';
import type { ChatFrame, Place } from './frames.ts';

/** What belongs to a reply, between its beginning and its end. */
export type Part = ChunkFrame | ToolFrame | PromptFrame | PromptClosedFrame;

/** A reply as far as it has come. */
export interface Reply {
  turn: string;
  /** The id of its message. */
  message: string;
  conversation: string;
  /** All of it in its order, text that follows on text as one part; questions only while they are open. */
  parts: readonly Part[];
  /** Of its text and its reasoning. */
  lengths: Readonly<Record<ChunkFrame['kind'], number>>;
  /** It came as one message: there is nothing to stream, its end brings it. */
  whole: boolean;
  end?: TurnFrame;
  /** How much of it the page has; undefined where the page has not heard of it. */
  told?: Told;
  /** It was open when the socket came; the page asks for it. */
  waits: boolean;
  /** After a `reset` nobody has said yet that it is still open. */
  lost: boolean;
}

/** What the page has of a reply. */
export interface Told {
  /** A row of streamed text is open. */
  row: boolean;
  /** Something was streamed. */
  streamed: boolean;
  /** Tools whose rows are open. */
  tools: readonly { tool: string; name: string }[];
  /** What has come while a question is open, where the page cannot be told meanwhile. */
  held?: readonly (ChunkFrame | ToolFrame)[];
}

/** How the pages of one kind of app are told of a reply, and of what is said besides. */
export interface Words {
  begin(place: Place, reply: Reply): ChatFrame[];
  part(place: Place, reply: Reply, told: Told, part: Part): [Told, ChatFrame[]];
  end(place: Place, reply: Reply, told: Told, end: TurnFrame): ChatFrame[];
  /** What follows a reply, where the page stays in its run. */
  after(place: Place, run: boolean): ChatFrame[];
  /** A question that belongs to no reply; or again, for a page that asks. */
  asked(place: Place, prompt: PromptFrame): ChatFrame[];
  /** A message or a file that is no reply; `told` is of the reply that is on its way. */
  said(
    place: Place,
    told: Told | undefined,
    frame: MessageFrame | FileFrame,
  ): [Told | undefined, ChatFrame[]];
  /** A message that was told before, as it is now. */
  edited(place: Place, frame: EditFrame): ChatFrame[];
}

export const UNTOLD: Told = { row: false, streamed: false, tools: [] };

/** The text of a reply so far, or its reasoning. */
export function textOf({ parts }: Reply, kind: ChunkFrame['kind']): string {
  return parts.map((part) => (part.type === 'chunk' && part.kind === kind ? part.text : '')).join('');
}

/** Says of which reply a frame is, so that a page recognises one that begins again. */
export function extraOf(turn: string | undefined, fields: object = {}): string {
  return JSON.stringify({ ...fields, ...(turn === undefined ? {} : { turn }) });
}
