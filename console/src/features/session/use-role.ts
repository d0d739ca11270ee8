import { useQuery } from '@tanstack/react-query';
import type { Role } from '#domain/api.ts';
import { sessionQuery } from './session-query.ts';

const RANK: Readonly<Record<Role, number>> = { viewer: 0, operator: 1, admin: 2 };

/** Whether the user may do what needs `role`; the server decides, this only hides what would be refused. */
export function useRole(role: Role): boolean {
  const { data } = useQuery(sessionQuery);
  return data !== undefined && RANK[data.user.role] >= RANK[role];
}
