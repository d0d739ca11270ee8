import { parentPort, workerData } from 'node:worker_threads';
import { AppError } from '#platform/error.ts';
import { analyseRecording } from './recording-analysis.ts';
import type { AnalysisReply, AnalysisRequest } from './recording-analysis.ts';

// One recording, then the thread ends; a fault that is not the recording's ends it with an error.
parentPort?.postMessage(reply(workerData as AnalysisRequest));

function reply(request: AnalysisRequest): AnalysisReply {
  try {
    return { ok: true, analysis: analyseRecording(request) };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return { ok: false, code: error.code, text: error.text };
  }
}
