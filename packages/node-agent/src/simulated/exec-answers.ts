// What a command says that is run in a simulated container: the first answer of the rules whose
// pattern it fits. Some commands that people try first have an answer of their own.

import type { ExecAnswer } from './container-behaviour.ts';
import { globMatcher } from './glob.ts';

type Answer = Omit<ExecAnswer, 'command'>;

const own: Readonly<Record<string, (words: readonly string[]) => Answer>> = {
  true: () => said(''),
  false: () => ({ output: '', error: '', exitCode: 1 }),
  echo: (words) => said(`${words.join(' ')}\n`),
  sleep: () => said(''),
};

/** What a rule says, if one does. */
export function ruledAnswerOf(
  answers: readonly ExecAnswer[],
  command: readonly string[],
): Answer | undefined {
  const line = command.join(' ');
  return answers.find((answer) => globMatcher(answer.command)(line));
}

export function execAnswerOf(answers: readonly ExecAnswer[], command: readonly string[]): Answer {
  const found = ruledAnswerOf(answers, command);
  if (found !== undefined) return found;
  const [program = '', ...words] = command;
  const answer = Object.hasOwn(own, program) ? own[program] : undefined;
  if (answer !== undefined) return answer(words);
  const line = JSON.stringify(command.join(' '));
  const error = `keelson: this container is simulated, and no rule answers ${line}\n`;
  return { output: '', error, exitCode: unknownCommand };
}

/** As a shell for a command that is not found. */
const unknownCommand = 127;

function said(output: string): Answer {
  return { output, error: '', exitCode: 0 };
}
