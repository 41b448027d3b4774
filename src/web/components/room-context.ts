import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import type { Room } from '../room.ts';

export const RoomContext = createContext<Room | undefined>(undefined);

export function useRoom(): Room {
  const room = useContext(RoomContext);
  if (!room) throw new Error('this component belongs inside a room');
  return room;
}
