import type { Strings } from './en.ts';

export const de: Strings = {
  lang: 'de',
  app: 'Starwire',
  you: 'Du',
  star: 'Star',

  signIn: {
    title: 'Willkommen bei Starwire',
    lead: 'Die Zustellung für KI-Chats: Nichts geht verloren, nichts kommt doppelt.',
    name: 'Dein Name',
    placeholder: 'Ada Lovelace',
    submit: 'Chat beginnen',
    busy: 'Anmeldung läuft…',
    ended:
      'Deine Sitzung ist abgelaufen. Bitte melde dich neu an; was noch nicht gesendet ist, bleibt erhalten.',
    unavailable:
      'Dieser Server hat keine eigene Anmeldung. Öffne den Chat von der Website aus, zu der er gehört: Sie meldet dich an und übergibt deine Sitzung.',
    unreachable: 'Der Server ist nicht erreichbar. Prüfe, ob er läuft, und versuche es erneut.',
    refused: 'Der Server hat diesen Namen nicht angenommen.',
    other: (name) => `Dieser Link meldet dich als ${name} an. Den Chat verlassen, in dem du angemeldet bist?`,
    local: 'Anmeldung für die Entwicklung: Jeder Name ist recht.',
  },

  header: {
    toDark: 'Dunkles Design',
    toLight: 'Helles Design',
    signOut: 'Abmelden',
    signedInAs: (name) => `Angemeldet als ${name}`,
    openSide: 'Liste der Unterhaltungen öffnen',
    closeSide: 'Liste der Unterhaltungen schließen',
    more: 'Konto und Einstellungen',
    notify: 'Benachrichtigungen',
    language: 'English',
    export: 'Alles exportieren',
    exportFailed: 'Der Export ist fehlgeschlagen.',
    playground: 'Spielwiese',
    toMessage: 'Zum Nachrichtenfeld springen',
  },

  side: {
    label: 'Unterhaltungen',
    create: 'Neuer Chat',
    search: 'Suchen',
    searching: 'Suche läuft…',
    nothing: (query) => `Nichts gefunden für „${query}“`,
    found: (count) => (count === 1 ? '1 Nachricht gefunden' : `${count} Nachrichten gefunden`),
    searchFailed: 'Die Suche ist fehlgeschlagen.',
    failed: 'Die Liste konnte nicht geladen werden.',
    retry: 'Erneut versuchen',
    empty: 'Hier stehen später deine Unterhaltungen.',
    more: 'Mehr anzeigen',
    untitled: 'Neuer Chat',
    unread: 'ungelesen',
    rename: (title) => `„${title}“ umbenennen`,
    renameField: 'Neuer Titel',
    renameFailed: 'Der neue Titel wurde nicht angenommen.',
    remove: (title) => `„${title}“ löschen`,
    deleted: (title) => `„${title}“ wurde gelöscht.`,
    deleteFailed: 'Die Unterhaltung konnte nicht gelöscht werden.',
    undo: 'Rückgängig',
    today: 'Heute',
    yesterday: 'Gestern',
    week: 'Letzte 7 Tage',
    older: 'Älter',
    gone: 'Diese Unterhaltung wurde gelöscht.',
  },

  connection: {
    connecting: 'Verbindung wird aufgebaut…',
    reconnecting: 'Verbindung wird wiederhergestellt…',
    offline: 'Du bist offline',
    connected: 'Verbunden',
    ended: 'Deine Sitzung ist abgelaufen. Was du geschrieben hast, bleibt erhalten.',
    signIn: 'Neu anmelden',
    retry: 'Jetzt versuchen',
    waiting: (count) =>
      count === 1
        ? '1 Nachricht wird gesendet, sobald du zurück bist'
        : `${count} Nachrichten werden gesendet, sobald du zurück bist`,
  },

  empty: {
    morning: (name) => `Guten Morgen, ${name}`,
    afternoon: (name) => `Guten Tag, ${name}`,
    evening: (name) => `Guten Abend, ${name}`,
    demo: 'Frag etwas, oder sieh dir an, woraus eine Antwort bestehen kann.',
    lead: 'Was möchtest du wissen?',
    suggestions: [
      { send: 'help', title: 'Was kannst du?' },
      { send: 'markdown', title: 'Schreib etwas Markdown' },
      { send: 'reasoning', title: 'Denk erst nach' },
      { send: 'tool', title: 'Benutz ein Werkzeug' },
      { send: 'buttons', title: 'Lass mich wählen' },
      { send: 'file', title: 'Schick mir eine Datei' },
      { send: 'edit', title: 'Überleg es dir anders' },
      { send: 'prompt', title: 'Frag mich etwas' },
    ],
  },

  history: {
    earlier: 'Frühere Nachrichten anzeigen',
    loading: 'Wird geladen…',
    failed: 'Die Unterhaltung konnte nicht geladen werden.',
    missing: 'Diese Unterhaltung gibt es nicht.',
    missingHint: 'Vielleicht wurde sie gelöscht, oder sie gehört jemand anderem.',
    retry: 'Erneut versuchen',
  },

  messages: {
    label: 'Unterhaltung',
    latest: 'Zum Ende',
    fresh: 'Neue Nachrichten',
    copy: 'Kopieren',
    copied: 'Kopiert',
    reply: 'Antworten',
    inReplyTo: 'Antwort auf',
    remake: 'Andere Antwort',
    edited: 'bearbeitet',
    queued: 'Wartet, bis sie an der Reihe ist',
    thinking: 'Denkt nach',
    typing: 'Star schreibt',
  },

  send: {
    waiting: 'Wird noch gesendet',
    failed: 'Nicht gesendet',
    retry: 'Erneut senden',
    discard: 'Verwerfen',
    takeBack: 'Zurücknehmen',
  },

  reply: {
    failed: 'Die Antwort ist fehlgeschlagen',
    cancelled: 'Du hast diese Antwort angehalten.',
    expired: 'Es kam rechtzeitig keine Antwort.',
    partial: 'Diese Antwort brach ab.',
    began: 'Star antwortet.',
    ended: 'Star hat geantwortet.',
    stopped: 'Die Antwort wurde angehalten.',
    retry: 'Erneut versuchen',
    remaking: 'Eine andere Antwort ist unterwegs.',
    remakeFailed: 'Es kommt keine andere Antwort:',
  },

  attach: {
    pick: 'Dateien anhängen',
    drop: 'Dateien hier ablegen',
    list: 'Angehängte Dateien',
    remove: (name) => `${name} entfernen`,
    retry: (name) => `${name} erneut hochladen`,
    progress: (name, percent) => `${name}: ${percent} % hochgeladen`,
    failed: 'Das Hochladen ist fehlgeschlagen.',
    tooLarge: (mib) => `Größer als ${mib} MiB.`,
    tooMany: (most) => `Eine Nachricht fasst höchstens ${most} Dateien.`,
    wait: 'Es werden noch Dateien hochgeladen',
  },

  reasoning: { live: 'Denkt nach', done: 'Gedanken' },

  tool: {
    running: 'läuft',
    completed: 'fertig',
    failed: 'fehlgeschlagen',
    stopped: 'angehalten',
    args: 'Eingabe',
    result: 'Ergebnis',
  },

  prompt: {
    answer: 'Antworten',
    approve: 'Zustimmen',
    deny: 'Ablehnen',
    submit: 'Absenden',
    sending: 'Wird gesendet…',
    answered: 'Beantwortet',
    approved: 'Zugestimmt',
    denied: 'Abgelehnt',
    expired: 'Nicht mehr offen',
    cancelled: 'Zurückgezogen',
    until: (time) => `offen bis ${time}`,
    choose: 'Bitte wählen…',
    required: 'erforderlich',
    yes: 'Ja',
    no: 'Nein',
  },

  file: { download: (name) => `${name} herunterladen` },

  table: 'Tabelle',

  notice: { close: 'Schließen' },

  code: { copy: 'Kopieren', copied: 'Kopiert', text: 'Text' },

  composer: {
    label: 'Nachricht',
    placeholder: 'Nachricht an Star',
    send: 'Senden',
    stop: 'Antwort anhalten',
    stopping: 'Wird angehalten…',
    replyingTo: (name) => `Antwort auf ${name}`,
    noReply: 'Nicht darauf antworten',
    hint: 'Enter sendet, Umschalt + Enter beginnt eine neue Zeile',
    tooLong: (over) => `${over.toLocaleString('de')} Zeichen zu lang`,
  },
};
