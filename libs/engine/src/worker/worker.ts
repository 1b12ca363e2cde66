/** The worker thread: which task is done by which function. */
import { serveTasks } from '@facet/threads';
