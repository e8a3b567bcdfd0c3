import type { ProjectView } from "@quorate/protocol/project";
import type { Queries } from "./database.ts";
import { tokenViewOf } from "./project-tokens.ts";
import type { StoredToken } from "./store/api-tokens.ts";
import { countProjectTargets, loadBuilderSeconds } from "./store/project-submissions.ts";
import { countSubmissions, dayMilliseconds, loadDayOf } from "./store/submissions.ts";

/** What a project has used of its day, and what came of all that it has submitted. */
export async function projectViewOf(
  db: Queries,
  token: StoredToken,
  { targetsADay, now }: { targetsADay: number; now: Date },
): Promise<ProjectView> {
  const { project } = token;
  const [day, submissions, targets, builderSeconds] = await Promise.all([
    loadDayOf(db, project, now),
    countSubmissions(db, project),
    countProjectTargets(db, project),
    loadBuilderSeconds(db, project),
  ]);
  const { pending: _, reproduced: __, ...others } = targets;
  return {
    project,
    token: tokenViewOf(token),
    quota: {
      targetsADay,
      used: day.targets,
      freeAt: day.firstAt && new Date(day.firstAt.getTime() + dayMilliseconds).toISOString(),
    },
    submissions,
    targets,
    failing: Object.values(others).reduce((sum, count) => sum + count, 0),
    builderSeconds,
  };
}
