import { NOWHERE, type Place, placeOf } from './place.ts';

/** What a client says of where it stands; `undefined` is a parameter or header that is not there. */
export interface Cursors {
  after_event_id?: string | undefined;
  after_seq?: string | undefined;
  replay?: string | undefined;
  last_event_id?: string | undefined;
}

const ID = /^([A-Za-z0-9_.-]+):(\d{1,16})$/;

/** Reads an event id `run:seq`; undefined where it is none. */
export function readEventId(id: string): { run: string; seq: number } | undefined {
  const [, run, digits] = ID.exec(id.trim()) ?? [];
  const seq = Number(digits);
  return run === undefined || !Number.isSafeInteger(seq) ? undefined : { run, seq };
}

/**
 * Where a run is to be told from. What the address says wins over `Last-Event-ID` by being there, even where it makes no sense;
 * of the address `after_event_id` comes first. What makes no sense, or is of another run, is its beginning; so is no cursor at all.
 */
export function cursorOf({ after_event_id, after_seq, replay, last_event_id }: Cursors, run: string): Place {
  const explicit = [after_event_id, after_seq, replay].some((one) => one !== undefined && one !== '');
  const id = explicit ? after_event_id : last_event_id;
  if (id !== undefined && id !== '') {
    const read = readEventId(id);
    return read?.run === run ? placeOf(read.seq) : NOWHERE;
  }
  const seq = explicit && /^\d{1,16}$/.test(after_seq ?? '') ? Number(after_seq) : 0;
  return Number.isSafeInteger(seq) ? placeOf(seq) : NOWHERE;
}
