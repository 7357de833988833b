// Calls a running service with the generated client and prints what it got; compiled strictly, so that the types
// of the description are checked too: a wrong field name here does not compile.
import {
  applicationsChange,
  applicationsGetById,
  applicationsList,
  applicationsSubmit,
  jobsGetById,
  jobsList,
  profilesGetMine,
  profilesReplaceMine,
} from "./client";
import { client } from "./client/client.gen";

async function main(): Promise<void> {
  client.setConfig({ baseUrl: process.env.SERVICE_URL!, auth: () => process.env.SERVICE_TOKEN! });

  const written = await profilesReplaceMine({
    body: { name: "Ada Example", email: "ada@example.test", cv_content: "Stonemason, ten years." },
    throwOnError: true,
  });
  const profile = await profilesGetMine({ throwOnError: true });

  const first = await jobsList({ query: { limit: 3 }, throwOnError: true });
  const second = await jobsList({ query: { limit: 3, cursor: first.data.next_cursor! }, throwOnError: true });
  const job = await jobsGetById({ path: { job_id: first.data.items[0]!.id }, throwOnError: true });

  const submitted = await applicationsSubmit({
    body: { job_id: job.data.id, note: "by hand" },
    headers: { "Idempotency-Key": "typescript-1" },
    throwOnError: true,
  });
  const application = await applicationsGetById({
    path: { application_id: submitted.data.id },
    throwOnError: true,
  });
  const changed = await applicationsChange({
    path: { application_id: submitted.data.id },
    body: { note: "changed" },
    throwOnError: true,
  });
  const applications = await applicationsList({ throwOnError: true });

  const missing = await jobsGetById({ path: { job_id: "job_that_is_not_there" } });

  console.log(
    JSON.stringify({
      written: written.response.status,
      name: profile.data.name,
      pages: [first.data.items.map((item) => item.id), second.data.items.map((item) => item.id)],
      job: job.data.id,
      application: application.data.job_id,
      note: changed.data.note,
      applications: applications.data.items.length,
      missing: { status: missing.response?.status, problem: missing.error },
    }),
  );
}

void main();
