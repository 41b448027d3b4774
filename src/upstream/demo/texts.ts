/** What the demo says. */

export const MARKDOWN = `## Markdown, as it streams

A reply is **text that grows**: each chunk says where it begins, so that a client can join at any time, and *nothing* is
shown twice. Here is how a service sends one:

\`\`\`ts
await fetch('/internal/outbound', {
  method: 'POST',
  headers: { authorization: \`Bearer \${token}\` },
  body: JSON.stringify({ channel: 'webchat:ada', kind: 'message', text: 'Hello!' }),
});
\`\`\`

| what | how |
| --- | --- |
| events | numbered, without gaps |
| text | resumed by offset |
| replies | end exactly once |

1. Write it down.
2. Show it.
3. Then say that it is done.

> Close this tab in the middle of a reply, and open it again.
`;

export const THOUGHT = `The question is which of two trains arrives first. The first one leaves at nine and needs three hours: twelve.
The second one leaves an hour later but is half an hour faster for each hour of the way, so it needs two: twelve as well.`;

export const CONCLUSION = 'Both trains arrive **at noon**. How I got there is folded away above.';

export const BEFORE_TOOL = 'Let me look that up. ';

export const AFTER_TOOL = 'It is **4 °C** in Reykjavík, with light snow and a fresh wind. Take a coat.';

export const LONG = `A wire hums between two stations. Nobody at either end can see the other, and still they talk, because each of them
keeps a copy of what was said and a number for every word of it. When a storm takes the line down, they wait. When it is up
again, the one asks: what was the last number that you have? And the other one goes on from there. It is an old trick, older
than the wire itself, and it has never been improved upon. While this slow text comes, reload the page, open a second tab, or
press stop: what has been said so far stays.`;

export const HELP = `I am the **demo upstream**: a stand-in for your inference service. Send me one of these words:

- \`markdown\`: a reply with a table and code
- \`reasoning\`: thinking before the answer
- \`tool\`: a tool call with progress
- \`buttons\`: choices that count once
- \`file\`: a picture and a table
- \`edit\`: a message that changes in place
- \`prompt\`, \`form\`, \`approval\`: questions to you
- \`slow\`: a long reply, to stop or to resume
- \`fail\` and \`silent\`: the bad weather

Anything else is answered as well.
`;

export function greeting(name: string, text: string): string {
  const quoted = text.length > 200 ? `${text.slice(0, 200).toWellFormed()} …` : text;
  return `Hello ${name}! You wrote:

> ${quoted.replaceAll('\n', '\n> ')}

This reply was streamed by the demo upstream through **Starwire**. Your own service would do it like this:

\`\`\`sh
curl "$ORIGIN/internal/outbound" -H "Authorization: Bearer $INTERNAL_TOKEN" \\
  -d '{"channel":"webchat:you","kind":"message","text":"Hello!"}'
\`\`\`

Send \`help\` to see everything else.`;
}

export const TABLE = 'planet,moons\nEarth,1\nMars,2\nJupiter,97\nSaturn,274\n';

/** A small PNG: a star on a wire. */
export const PICTURE =
  'iVBORw0KGgoAAAANSUhEUgAAAPAAAAB4BAMAAAA+mGIUAAAAHlBMVEUYGjAaHDUcHjoeID8gIkQiJEkkJk4mKFN4gr7/zlyDODOl' +
  'AAAB00lEQVR42u3ZwXKCMBAGYI5c+wo9effS3DnIA/QVOn2DeuzUjqbncNm3bSAEslEUMNl2xn8PjoPK50LYQLYoeDzxeOax5VHx' +
  'eOXxxuODRwEYMGDAgAEDBgwYMOA/hYmax4IVET0WbF1+rAEDBgwY8H+ByVyAuzdZ4XZKIuJw3W3LDJMLE8D9pkYEbuV+PiZZ2MoO' +
  'JmmYHFxLwSqQLTa6uQdXkLKxMAUJZ4aDlFnkLyBqys1eMtWEK1CrY7oRnCTO1AeYFuN8peD2PNf86UkGph5uhGHlYRKGu5pZyY9q' +
  'NcIkClMAN4Jwf+c13G2JwcTgRhg226oShhWHKYI1i2NyuF3ZqyNYT8QxDUwR7I71Tl+PVLDp1jI9zNTwHL9P2Gvg4TFmeHyJzXhw' +
  'vZ/bKeHro3rv6dN9sHHwzsNzLqd9kPZquFuvtvv4GYf1nOvY26dCf66C24TdLpbBNtzPiu5lMWy2L/1f7wb2wsq197Ae055XQEyv' +
  'frvlgBUl0ybrT/h82Cd7uLcnUQb2TdirOk0zZLi+r8ODekjXhSn1JTxAN+MXUrd/yrCshvAm/CBP36m8McNkbXhNoV8inbYzE71F' +
  'wIABAwYMGDBgwIABAwYMGDDg5fAvnfQ90TXJ6jcAAAAASUVORK5CYII=';
