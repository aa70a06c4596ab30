// The parts of the walks, on loopback: the service, its database, and relying parties that are not
// our own.

import { execFileSync, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
  access,
  chmod,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  symlink,
  writeFile,
  rename,
} from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

const build = process.env.VULTUS_BUILD ?? new URL("../../../../build", import.meta.url).pathname;
const command = process.env.VULTUS_IDP ?? join(build, "idp/vultus-idp");
const oauth2Proxy = process.env.OAUTH2_PROXY ?? join(build, "idp/oauth2-proxy");

export const photo = (name) => join(build, "photos", name);
export const clip = (name) => join(build, "idp", `${name}.mjpeg`);
export const shots = join(build, "idp/shots");

const started = [];

/** A port that nobody listens on. */
async function port() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

export async function folder() {
  const path = await mkdtemp(join(tmpdir(), "vultus-idp-"));
  await chmod(path, 0o755); // Apache and PostgreSQL run as users of their own
  started.push(() => rm(path, { recursive: true, force: true }));
  return path;
}

/**
 * Starts a program and waits until it answers; what it wrote stands in the error when it does not.
 */
async function run(name, file, args, url, options = {}) {
  let wrote = "";
  const child = spawn(file, args, { stdio: ["ignore", "pipe", "pipe"], ...options });
  child.stdout.on("data", (text) => (wrote += text));
  child.stderr.on("data", (text) => (wrote += text));
  let ended = null;
  const end = new Promise((resolve) => child.once("exit", (code) => resolve((ended = code ?? -1))));
  child.once("error", (error) => ((wrote += error), (ended = -1)));
  started.push(async () => {
    if (ended === null) child.kill("SIGTERM");
    const hard = setTimeout(() => child.kill("SIGKILL"), 10_000);
    await end;
    clearTimeout(hard);
  });
  for (
    const until = Date.now() + 60_000;
    ;
    await new Promise((resolve) => setTimeout(resolve, 100))
  ) {
    if (ended !== null || Date.now() > until)
      throw new Error(`${name} does not answer at ${url}:\n${wrote.slice(-4000)}`);
    if (
      !url ||
      (await fetch(url, { redirect: "manual" }).then(
        (answer) => answer.status < 500,
        () => false,
      ))
    )
      break;
  }
  return { log: () => wrote, stop: () => (child.kill("SIGTERM"), end) };
}

/** Stops all that was started, the last first. */
export async function stop() {
  while (started.length) await started.pop()();
}

/** The service, its clients and mail. `changes` go over the configuration. */
export async function service(changes = {}) {
  const dir = await folder();
  const listen = `127.0.0.1:${await port()}`;
  const outbox = join(dir, "mail");
  await mkdir(outbox);
  await writeFile(join(dir, "key"), execFileSync(command, ["key"]), { mode: 0o600 });
  const parties = {};
  for (const id of ["apache", "oauth2-proxy"])
    parties[id] = { id, secret: randomBytes(24).toString("base64url"), port: await port() };
  const config = {
    issuer: `http://${listen}`,
    listen,
    organisation: "Example Ltd",
    pack: process.env.VULTUS_PACK ?? join(build, "pack"),
    database: `sqlite:${join(dir, "idp.db")}`,
    key: { file: join(dir, "key") },
    mail: { outbox, from: "verify@example.com" },
    access: { domains: ["example.com"] },
    clients: [
      {
        id: "apache",
        secret: parties.apache.secret,
        name: "Onboarding portal",
        redirect_uris: [`http://127.0.0.1:${parties.apache.port}/protected/callback`],
      },
      {
        id: "oauth2-proxy",
        secret: parties["oauth2-proxy"].secret,
        name: "Staff intranet",
        redirect_uris: [`http://127.0.0.1:${parties["oauth2-proxy"].port}/oauth2/callback`],
      },
    ],
    consent: {
      controller: "Example Ltd, 1 Example Street, Exampleton",
      contact: "privacy@example.com",
    },
    ...changes,
  };
  await writeFile(join(dir, "config.json"), JSON.stringify(config));
  const process_ = await run(
    "the service",
    command,
    ["serve", "-config", join(dir, "config.json")],
    `http://${listen}/healthz`,
  );
  return { ...process_, issuer: config.issuer, parties, outbox };
}

/** The newest code that was mailed to an address. */
export async function mailedCode(outbox, to) {
  for (
    const until = Date.now() + 20_000;
    Date.now() < until;
    await new Promise((resolve) => setTimeout(resolve, 50))
  ) {
    for (const name of (await readdir(outbox))
      .filter((name) => name.endsWith(".eml"))
      .sort()
      .reverse()) {
      const mail = await readFile(join(outbox, name), "utf8");
      if (!mail.includes(`To: ${to}\r\n`)) continue;
      const code = mail.match(/^Your code: (\d{6})\r?$/m);
      if (code) return code[1];
    }
  }
  throw new Error(`no code was mailed to ${to}`);
}

/** Apache with mod_auth_openidc before a page; the claims that it got stand in headers. */
export async function apache({ issuer, parties: { apache: client } }) {
  const dir = await folder();
  const site = join(dir, "site");
  await mkdir(join(site, "protected"), { recursive: true });
  await writeFile(
    join(site, "protected/index.html"),
    "<!doctype html><title>Onboarding</title><h1>Behind Apache</h1>",
  );
  await writeFile(join(site, "open.html"), "open");
  const modules = [
    "mpm_event",
    "dir",
    "headers",
    "authn_core",
    "authz_core",
    "authz_user",
    "auth_openidc",
  ];
  await writeFile(
    join(dir, "apache.conf"),
    `ServerName 127.0.0.1
ServerRoot /usr/lib/apache2
DefaultRuntimeDir ${dir}
PidFile ${dir}/pid
ErrorLog ${dir}/error.log
LogLevel warn auth_openidc:info
Listen 127.0.0.1:${client.port}
${modules.map((name) => `LoadModule ${name}_module modules/mod_${name}.so`).join("\n")}
ForceType text/html
User www-data
Group www-data
DocumentRoot ${site}
DirectoryIndex index.html
OIDCProviderMetadataURL ${issuer}/.well-known/openid-configuration
OIDCClientID apache
OIDCClientSecret ${client.secret}
OIDCRedirectURI http://127.0.0.1:${client.port}/protected/callback
OIDCCryptoPassphrase ${randomBytes(24).toString("hex")}
OIDCScope "openid email identity"
OIDCPKCEMethod S256
<Location /protected>
  AuthType openid-connect
  Require claim amr:face
  Header set X-User "%{OIDC_CLAIM_email}e"
  Header set X-Claims "%{OIDC_CLAIM_acr}e %{OIDC_CLAIM_amr}e %{OIDC_CLAIM_email_verified}e"
  Header set X-Verified-Claims "%{OIDC_CLAIM_verified_claims}e"
</Location>
`,
  );
  const running = await run(
    "Apache",
    "/usr/sbin/apache2",
    ["-f", join(dir, "apache.conf"), "-DFOREGROUND"],
    `http://127.0.0.1:${client.port}/open.html`,
  );
  return {
    ...running,
    page: `http://127.0.0.1:${client.port}/protected/`,
    heading: "Behind Apache",
    log: () => execFileSync("cat", [join(dir, "error.log")], { encoding: "utf8" }),
  };
}

/** oauth2-proxy before a page. */
export async function proxy({ issuer, parties: { "oauth2-proxy": client } }) {
  const site = await folder();
  await writeFile(
    join(site, "index.html"),
    "<!doctype html><title>Intranet</title><h1>Behind oauth2-proxy</h1>",
  );
  const flags = {
    provider: "oidc",
    "oidc-issuer-url": issuer,
    "client-id": client.id,
    "client-secret": client.secret,
    "redirect-url": `http://127.0.0.1:${client.port}/oauth2/callback`,
    scope: "openid email",
    "code-challenge-method": "S256",
    "email-domain": "example.com",
    "cookie-secret": randomBytes(16).toString("hex"),
    "cookie-secure": "false",
    "cookie-name": "_intranet",
    "skip-provider-button": "true",
    "http-address": `127.0.0.1:${client.port}`,
    upstream: `file://${site}/#/`,
    "set-xauthrequest": "true",
  };
  const running = await run(
    "oauth2-proxy",
    oauth2Proxy,
    Object.entries(flags).map(([name, value]) => `--${name}=${value}`),
    `http://127.0.0.1:${client.port}/ping`,
  );
  return { ...running, page: `http://127.0.0.1:${client.port}/`, heading: "Behind oauth2-proxy" };
}

/** An empty PostgreSQL of Debian's package; returns the URL of its database. */
export async function postgres() {
  const dir = await folder();
  const [data, sockets, at] = [join(dir, "data"), join(dir, "sockets"), await port()];
  const programs = execFileSync(
    "sh",
    ["-c", "ls -d /usr/lib/postgresql/*/bin | sort -V | tail -1"],
    { encoding: "utf8" },
  ).trim();
  const as = (args) =>
    process.getuid() === 0
      ? ["runuser", ["-u", "postgres", "--", ...args]]
      : [args[0], args.slice(1)];
  await mkdir(sockets);
  await mkdir(data);
  if (process.getuid() === 0) execFileSync("chown", ["postgres", data, sockets]);
  execFileSync(
    ...as([
      `${programs}/initdb`,
      "--pgdata",
      data,
      "--username",
      "idp",
      "--auth",
      "trust",
      "--no-sync",
    ]),
    { stdio: "pipe" },
  );
  const running = await run(
    "PostgreSQL",
    ...as([
      `${programs}/postgres`,
      "-D",
      data,
      "-k",
      sockets,
      "-h",
      "127.0.0.1",
      "-p",
      String(at),
      "-c",
      "fsync=off",
    ]),
    null,
  );
  for (
    const until = Date.now() + 30_000;
    ;
    await new Promise((resolve) => setTimeout(resolve, 200))
  ) {
    try {
      execFileSync(
        `${programs}/createdb`,
        ["-h", "127.0.0.1", "-p", String(at), "-U", "idp", "idp"],
        { stdio: "pipe" },
      );
      break;
    } catch (cause) {
      if (Date.now() > until)
        throw new Error(`PostgreSQL does not answer:\n${running.log()}\n${cause.stderr}`);
    }
  }
  return `postgres://idp@127.0.0.1:${at}/idp?sslmode=disable`;
}

/**
 * What the fake camera of a browser plays. Call `plays` before each opening of the camera: it gives
 * the next take.
 */
export async function camera() {
  const link = join(await folder(), "camera.mjpeg");
  const takes = {};
  const plays = async (name) => {
    takes[name] = (takes[name] ?? 0) + 1;
    await access(clip(`${name}-${takes[name]}`));
    await symlink(clip(`${name}-${takes[name]}`), `${link}.new`);
    await rename(`${link}.new`, link);
  };
  await symlink("/dev/null", link);
  return { link, plays };
}
