import { useQuery } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { requestBytes } from '../../../api/request.ts';
import { decodeWav, encodePcmWav } from './wav.ts';

/** A recording on its way to the player. */
export type RecordingState =
  | { readonly kind: 'loading' }
  | { readonly kind: 'ready'; readonly url: string }
  | { readonly kind: 'broken' }
  | { readonly kind: 'failed'; readonly error: Error; readonly retry: () => void };

/** Fetches a call's recording and gives it as a file that every browser plays, whatever codec the call had. */
export function useRecording(callId: string): RecordingState {
  const { data, error, refetch } = useQuery({
    queryKey: ['recording', callId],
    queryFn: async ({ signal }): Promise<ArrayBuffer | null> => {
      const decoded = decodeWav(await requestBytes(`/api/calls/${callId}/recording.wav`, signal));
      return decoded === undefined ? null : encodePcmWav(decoded);
    },
    staleTime: Infinity,
    gcTime: 60_000,
  });
  const [url, setUrl] = useState<string>();
  useEffect(() => {
    if (data === undefined || data === null) return undefined;
    const made = URL.createObjectURL(new Blob([data], { type: 'audio/wav' }));
    setUrl(made);
    return () => {
      URL.revokeObjectURL(made);
      setUrl(undefined);
    };
  }, [data]);
  if (error !== null) return { kind: 'failed', error, retry: () => void refetch() };
  if (data === null) return { kind: 'broken' };
  return url === undefined ? { kind: 'loading' } : { kind: 'ready', url };
}
