/** What Starwire says of itself, its turns and its users (section 5.3), and how a call names its place. */

export interface BotIdentity {
  platform: string;
  user_id: string;
  display_name: string;
  mention: string;
}

export interface SendOptions {
  tenant?: string;
  conversation?: string;
  /** The turn that it belongs to; without one it stands for itself. */
  turn?: string;
  reply_to?: string;
  /** Under one key it counts once, however often and by whichever process it is sent. One is made where none is given. */
  key?: string;
}

export interface TurnState {
  turn: string;
  channel: string;
  conversation: string;
  status: 'queued' | 'running' | 'completed' | 'failed' | 'cancelled' | 'expired';
  /** UTF-16 code units that are durable. */
  text_length: number;
  reasoning_length: number;
}

export interface Users {
  active_users: string[];
  total_connections: number;
  /** There were too many to look at each. */
  approximate: boolean;
}

export interface Session {
  session: string;
  user_id: string;
  user_name: string;
  avatar: string;
  /** Unix seconds. */
  connected_at: number;
  dialect: string;
}

export interface HistoricalMessage {
  user_id: string;
  user_name: string;
  text: string;
  /** Unix seconds. */
  timestamp: number;
  message_id: string;
  is_bot: boolean;
  reply_to_id: string | null;
}

export interface PlatformState {
  is_running: boolean;
  bot_identity: BotIdentity;
}
