/** Every word the page says, in one place. Another language is another object of this shape. */
export const strings = {
  app: 'Starwire',
  you: 'You',
  star: 'Star',

  signIn: {
    title: 'Welcome to Starwire',
    lead: 'The delivery layer of AI chat: nothing lost, nothing twice.',
    name: 'Your name',
    placeholder: 'Ada Lovelace',
    submit: 'Start chatting',
    busy: 'Signing in…',
    ended: 'Your session has ended. Please sign in again; what you have not sent yet is kept.',
    unavailable:
      'This server has no sign-in of its own. Open the chat from the site that belongs to it: that site signs you in and hands your session over.',
    unreachable: 'The server cannot be reached. Check that it is running, then try again.',
    refused: 'The server did not accept this name.',
    local: 'Development sign-in: any name will do.',
  },

  header: {
    toDark: 'Switch to the dark theme',
    toLight: 'Switch to the light theme',
    signOut: 'Sign out',
    signedInAs: (name: string) => `Signed in as ${name}`,
  },

  connection: {
    connecting: 'Connecting…',
    reconnecting: 'Reconnecting…',
    offline: 'You are offline',
    retry: 'Try now',
    waiting: (count: number) =>
      count === 1
        ? '1 message will be sent when you are back'
        : `${count} messages will be sent when you are back`,
  },

  empty: {
    morning: (name: string) => `Good morning, ${name}`,
    afternoon: (name: string) => `Good afternoon, ${name}`,
    evening: (name: string) => `Good evening, ${name}`,
    lead: 'Ask anything, or see what a reply can be made of.',
    suggestions: [
      { send: 'help', title: 'What can you do?', hint: 'help' },
      { send: 'markdown', title: 'Stream some Markdown', hint: 'markdown' },
      { send: 'reasoning', title: 'Think before answering', hint: 'reasoning' },
      { send: 'tool', title: 'Use a tool', hint: 'tool' },
      { send: 'buttons', title: 'Offer me a choice', hint: 'buttons' },
      { send: 'file', title: 'Send me a file', hint: 'file' },
      { send: 'edit', title: 'Change your mind', hint: 'edit' },
      { send: 'prompt', title: 'Ask me something', hint: 'prompt' },
    ],
  },

  history: {
    earlier: 'Show earlier messages',
    loading: 'Loading…',
    failed: 'The conversation could not be loaded.',
    retry: 'Try again',
  },

  messages: {
    label: 'Conversation',
    latest: 'Jump to the latest',
    fresh: 'New messages',
    copy: 'Copy',
    copied: 'Copied',
    edited: 'edited',
    queued: 'Waiting for its turn',
    thinking: 'Thinking',
    typing: 'Star is typing',
    pressed: (label: string) => `Chose “${label}”`,
  },

  send: {
    waiting: 'Waiting to be sent',
    failed: 'Not sent',
    retry: 'Send again',
    discard: 'Discard',
  },

  reply: {
    failed: 'The reply failed',
    cancelled: 'You stopped this reply.',
    expired: 'No answer came in time.',
    partial: 'This reply was cut short.',
    began: 'Star is replying.',
    ended: 'Star has replied.',
    stopped: 'The reply was stopped.',
  },

  reasoning: { live: 'Thinking', done: 'Thoughts' },

  tool: {
    running: 'running',
    completed: 'done',
    failed: 'failed',
    stopped: 'stopped',
    args: 'Input',
    result: 'Result',
  },

  prompt: {
    answer: 'Answer',
    approve: 'Approve',
    deny: 'Deny',
    submit: 'Submit',
    sending: 'Sending…',
    answered: 'Answered',
    approved: 'Approved',
    denied: 'Denied',
    expired: 'No longer open',
    cancelled: 'Withdrawn',
    until: (time: string) => `open until ${time}`,
    choose: 'Choose…',
    required: 'required',
    yes: 'Yes',
    no: 'No',
  },

  file: { download: (name: string) => `Download ${name}` },

  code: { copy: 'Copy', copied: 'Copied', text: 'text' },

  composer: {
    label: 'Message',
    placeholder: 'Message Star',
    send: 'Send',
    stop: 'Stop the reply',
    stopping: 'Stopping…',
    hint: 'Enter to send, Shift + Enter for a new line',
    tooLong: (over: number) => `${over.toLocaleString()} characters too long`,
  },
} as const;
