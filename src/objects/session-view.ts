import type { Session } from '../channel/session.ts';

/** A session as `GET /internal/users/{id}` shows it. */
export interface SessionView {
  session: string;
  user_id: string;
  user_name: string;
  avatar: string;
  connected_at: number;
  dialect: string;
}

export function sessionView({ is }: Session): SessionView {
  return {
    session: is.id,
    user_id: is.user,
    user_name: is.name,
    avatar: is.avatar,
    connected_at: is.connected_at,
    dialect: is.dialect,
  };
}
