import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { useRoom } from '../components/room-context.ts';

interface Report {
  tab: string;
  status: string;
  seq: number;
  last: string;
}

/** Tabs that say nothing for this long are taken to be closed. */
const GONE_MS = 6_000;
const REPORT_MS = 2_000;

const isReport = (value: unknown): value is Report =>
  typeof value === 'object' && value !== null && 'tab' in value && 'seq' in value && 'last' in value;

/** The tabs of this browser in which the playground is open, and how far each of them has got. */
export function Tabs(): JSX.Element {
  const { client, user } = useRoom();
  const tabs = useSignal<ReadonlyMap<string, Report & { at: number }>>(new Map());
  const id = user.value?.id;

  useEffect(() => {
    const tab = crypto.randomUUID().slice(0, 4);
    const radio = new BroadcastChannel(`starwire.playground.${id ?? ''}`);
    const mine: Report = { tab: `${tab} (this tab)`, status: client.status.is, seq: 0, last: '' };
    const put = (report: Report): void => {
      const now = Date.now();
      const alive = [...tabs.peek()].filter(([, { at }]) => now - at < GONE_MS);
      tabs.value = new Map(alive).set(report.tab, { ...report, at: now });
    };
    const tell = (): void => {
      mine.status = client.status.is;
      put(mine);
      radio.postMessage({ ...mine, tab });
    };
    radio.onmessage = ({ data }: MessageEvent<unknown>) => isReport(data) && put(data);
    const unwatch = client.on('frame', (frame) => {
      mine.last = frame.type;
      if ('seq' in frame) mine.seq = Math.max(mine.seq, frame.seq);
      tell();
    });
    const timer = setInterval(tell, REPORT_MS);
    tell();
    return () => {
      clearInterval(timer);
      unwatch();
      radio.close();
    };
  }, [client, id, tabs]);

  return (
    <section aria-label="Tabs">
      <table class="tabs" data-testid="tabs">
        <thead>
          <tr>
            <th scope="col">Tab</th>
            <th scope="col">State</th>
            <th scope="col">seq</th>
            <th scope="col">Last frame</th>
          </tr>
        </thead>
        <tbody>
          {[...tabs.value.values()].map(({ tab, status, seq, last }) => (
            <tr key={tab}>
              <td>{tab}</td>
              <td>{status}</td>
              <td>{seq}</td>
              <td>{last}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
