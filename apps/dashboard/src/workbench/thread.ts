/** The thread in which mappings of the workbench are evaluated: questions in, evaluations out, one after the other. */
import { parentPort } from 'node:worker_threads';
import { type EvaluationRequest, evaluate } from './evaluate.ts';

parentPort?.on('message', (question: EvaluationRequest) => parentPort?.postMessage(evaluate(question)));
parentPort?.postMessage('ready');
