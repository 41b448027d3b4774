/** Every word the page says. */
export const en = {
  lang: 'en',
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
    other: (name: string) => `This link signs you in as ${name}. Leave the chat that you are signed in to?`,
    local: 'Development sign-in: any name will do.',
  },

  header: {
    toDark: 'Dark theme',
    toLight: 'Light theme',
    signOut: 'Sign out',
    signedInAs: (name: string) => `Signed in as ${name}`,
    openSide: 'Open the list of conversations',
    closeSide: 'Close the list of conversations',
    more: 'Account and settings',
    notify: 'Notifications',
    language: 'Deutsch',
    export: 'Export everything',
    exportFailed: 'The export failed.',
    playground: 'Playground',
    toMessage: 'Skip to the message field',
  },

  side: {
    label: 'Conversations',
    create: 'New chat',
    search: 'Search',
    searching: 'Searching…',
    nothing: (query: string) => `Nothing found for “${query}”`,
    found: (count: number) => (count === 1 ? '1 message found' : `${count} messages found`),
    searchFailed: 'The search failed.',
    failed: 'The list could not be loaded.',
    retry: 'Try again',
    empty: 'Your conversations will be listed here.',
    more: 'Show more',
    untitled: 'New chat',
    unread: 'unread',
    rename: (title: string) => `Rename “${title}”`,
    renameField: 'New title',
    renameFailed: 'The new title was not accepted.',
    remove: (title: string) => `Delete “${title}”`,
    deleted: (title: string) => `“${title}” was deleted.`,
    deleteFailed: 'The conversation could not be deleted.',
    undo: 'Undo',
    today: 'Today',
    yesterday: 'Yesterday',
    week: 'Last 7 days',
    older: 'Older',
    gone: 'This conversation was deleted.',
  },

  connection: {
    connecting: 'Connecting…',
    reconnecting: 'Reconnecting…',
    offline: 'You are offline',
    connected: 'Connected',
    ended: 'Your session has ended. What you wrote is kept.',
    signIn: 'Sign in again',
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
    demo: 'Ask anything, or see what a reply can be made of.',
    lead: 'What would you like to know?',
    suggestions: [
      { send: 'help', title: 'What can you do?' },
      { send: 'markdown', title: 'Stream some Markdown' },
      { send: 'reasoning', title: 'Think before answering' },
      { send: 'tool', title: 'Use a tool' },
      { send: 'buttons', title: 'Offer me a choice' },
      { send: 'file', title: 'Send me a file' },
      { send: 'edit', title: 'Change your mind' },
      { send: 'prompt', title: 'Ask me something' },
    ],
  },

  history: {
    earlier: 'Show earlier messages',
    loading: 'Loading…',
    failed: 'The conversation could not be loaded.',
    missing: 'There is no such conversation.',
    missingHint: 'It may have been deleted, or belong to somebody else.',
    retry: 'Try again',
  },

  messages: {
    label: 'Conversation',
    latest: 'Jump to the latest',
    fresh: 'New messages',
    copy: 'Copy',
    copied: 'Copied',
    reply: 'Reply',
    inReplyTo: 'In reply to',
    remake: 'Another reply',
    edited: 'edited',
    queued: 'Waiting for its turn',
    thinking: 'Thinking',
    typing: 'Star is typing',
  },

  send: {
    waiting: 'Waiting to be sent',
    failed: 'Not sent',
    retry: 'Send again',
    discard: 'Discard',
    takeBack: 'Take back',
  },

  reply: {
    failed: 'The reply failed',
    cancelled: 'You stopped this reply.',
    expired: 'No answer came in time.',
    partial: 'This reply was cut short.',
    began: 'Star is replying.',
    ended: 'Star has replied.',
    stopped: 'The reply was stopped.',
    retry: 'Try again',
    remaking: 'Another reply is on its way.',
    remakeFailed: 'There will be no other reply:',
  },

  attach: {
    pick: 'Attach files',
    drop: 'Drop files here',
    list: 'Attached files',
    remove: (name: string) => `Remove ${name}`,
    retry: (name: string) => `Upload ${name} again`,
    progress: (name: string, percent: number) => `${name}: ${percent} % uploaded`,
    failed: 'The upload failed.',
    tooLarge: (mib: number) => `Larger than ${mib} MiB.`,
    tooMany: (most: number) => `A message takes ${most} files at most.`,
    wait: 'Files are still being uploaded',
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

  table: 'Table',

  notice: { close: 'Dismiss' },

  code: { copy: 'Copy', copied: 'Copied', text: 'text' },

  composer: {
    label: 'Message',
    placeholder: 'Message Star',
    send: 'Send',
    stop: 'Stop the reply',
    stopping: 'Stopping…',
    replyingTo: (name: string) => `Replying to ${name}`,
    noReply: 'Do not reply to it',
    hint: 'Enter to send, Shift + Enter for a new line',
    tooLong: (over: number) => `${over.toLocaleString()} characters too long`,
  },
};

export type Strings = typeof en;
