import { konstruct } from '../../../src/dialects/konstruct.ts';
import { framesIn } from './native-frames.ts';
import { Transcript } from './transcript.ts';

/** What Konstruct's transcripts are made of: the native frames of the conversation `HERE`, and frames of the portal. */

export const HERE = '11111111-1111-4111-8111-111111111111';
export const THERE = '22222222-2222-4222-8222-222222222222';

export const open = () => new Transcript(konstruct, { conversation_id: HERE });

export const { turn, chunk, reply, said, prompt, closed, file } = framesIn(HERE);

export const typing = { type: 'typing' };
export const done = (text: string, conversation_id = HERE) => ({ type: 'done', text, conversation_id });
