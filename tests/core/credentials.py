"""Lines with and without credentials, as people write them. Those with one are put together at run time, so
that no scanner takes this repository for their owner's."""
# ruff: noqa: E501  the lines are as they would stand in files

import base64
import json
import random
import string

ALNUM = string.ascii_letters + string.digits
HEX = string.digits + "abcdef"
UPPER = string.ascii_uppercase + "234567"
_dice = random.Random(20240917)


def made(length: int, alphabet: str = ALNUM) -> str:
    """The same at each run: digits and letters of both cases where the alphabet has them."""
    return "".join(_dice.choice(alphabet) for _ in range(length))


def _json(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def _basic(login: str) -> str:
    return base64.b64encode(login.encode()).decode()


JWT = f"{_json({'alg': 'HS256'})}.{_json({'sub': 'ann', 'iat': 1700000001})}.{made(43)}"
HUMAN = "s3cr3t" + "P4ssw0rd!" + "2024"
BODY = made(64, ALNUM + "+/")

ISSUED: dict[str, str] = {
    "AWS access key": f"AK{'IA'}{made(16, UPPER)}",
    "GitHub token": f"gh{'p_'}{made(36)}",
    "GitHub server token": f"gh{'s_'}{made(36)}",
    "GitHub long token": f"gh{'s_'}12345_{made(120)}",
    "GitHub fine-grained": f"github{'_pat_'}{made(22)}_{made(59)}",
    "GitLab token": f"gl{'pat-'}{made(20)}",
    "Slack token": f"xo{'xb-'}{made(12, string.digits)}-{made(24)}",
    "Slack webhook": f"https://hooks.slack.{'com/services'}/T{made(8, UPPER)}/B{made(8, UPPER)}/{made(24)}",
    "Stripe key": f"sk_{'live'}_{made(24)}",
    "Stripe test key": f"sk_{'test'}_{made(24)}",
    "Stripe restricted test key": f"rk_{'test'}_{made(99)}",
    "Stripe webhook secret": f"whs{'ec_'}{made(32)}",
    "Google API key": f"AI{'za'}{made(35)}",
    "Anthropic key": f"sk-{'ant'}-api03-{made(80)}",
    "OpenAI key": f"sk-{'proj'}-{made(60)}",
    "OpenAI-style key": f"sk{'-'}{made(32, HEX)}",
    "Hugging Face token": f"h{'f_'}{made(34)}",
    "npm token": f"np{'m_'}{made(36)}",
    "PyPI token": f"py{'pi-'}AgEIcHlwaS5vcmc{made(60)}",
    "SendGrid key": f"S{'G.'}{made(22)}.{made(43)}",
    "Groq key": f"gs{'k_'}{made(52)}",
    "xAI key": f"xa{'i-'}{made(80)}",
    "Google OAuth secret": f"GOC{'SPX-'}{made(28)}",
    "Azure storage key": f"Account{'Key='}{made(86)}==",
    "DigitalOcean token": f"dop{'_v1_'}{made(64, HEX)}",
    "Shopify token": f"shp{'at_'}{made(32, HEX)}",
    "Telegram bot token": f"{made(9, string.digits)}:A{'A'}{made(33)}",
    "Databricks token": f"da{'pi'}{made(32, HEX)}",
    "Docker Hub token": f"dckr{'_pat_'}{made(27)}",
    "Vault token": f"hv{'s.'}{made(95)}",
    "Linear key": f"lin{'_api_'}{made(40)}",
    "Tailscale key": f"ts{'key'}-auth-{made(16)}-{made(32)}",
    "Grafana token": f"gl{'sa_'}{made(32)}_{made(8, HEX)}",
    "RubyGems key": f"ruby{'gems_'}{made(48, HEX)}",
    "Atlassian token": f"ATA{'TT3'}{made(190)}",
    "age key": f"AGE-{'SECRET'}-KEY-1{made(58, string.ascii_uppercase + string.digits)}",
    "JSON web token": JWT,
    "private key": f"-----BEGIN RSA {'PRIVATE'} KEY-----",
    "private key, new form": f"-----BEGIN {'PRIVATE'} KEY-----",
    "OpenSSH key": f"-----BEGIN OPENSSH {'PRIVATE'} KEY-----",
    "private key in one line": f"-----BEGIN EC {'PRIVATE'} KEY-----\\n{BODY}\\n-----END EC {'PRIVATE'} KEY-----",
    "password in a URL": f"postgresql://tea:{made(12)}@db.internal/tea",
    "password in a URL, Redis": f"rediss://:{made(24)}@cache-1.kettle.io:6379/0",
    "password in a URL, typed": f"amqp://brewer:{'Br3w!'}{'9xKq'}@mq.kettle.io",
    "token in a git remote": f"https://oauth2:{made(20)}@git.kettle.io/tea/pot.git",
}
"""What issuers give, each in a line of its own below."""

NAMED: dict[str, str] = {
    "DB_PASSWORD": f'DB_PASSWORD="{HUMAN}"',
    "bare .env": f"DB_PASSWORD={HUMAN}",
    "yaml": f"  password: {HUMAN}",
    "yaml, quoted": f"  password: '{HUMAN}'",
    "json": f'  "dbPassword": "{HUMAN}",',
    "export": f"export TEA_SECRET={made(40, HEX)}",
    "Dockerfile": f"ENV API_TOKEN={made(32)}",
    "python": f"API_KEY = '{made(32)}'",
    "python, annotated": f'API_KEY: str = "{made(32)}"',
    "keyword": f'client = Client(api_key="{made(40)}")',
    "dict": f'headers = {{"X-Api-Key": "{made(36)}"}}',
    "environment": f'os.environ["DB_PASSWORD"] = "{HUMAN}"',
    "default of an environment": f'os.getenv("SECRET_KEY", "{made(50)}")',
    "go": f'const apiKey = "{made(32)}"',
    "go, short": f'password := "{HUMAN}"',
    "rust": f'const API_SECRET: &str = "{made(40)}";',
    "java": f'private static final String CLIENT_SECRET = "{made(36)}";',
    "kotlin": f'val accessToken: String = "{made(44)}"',
    "typescript": f"  private readonly authToken: string = `{made(32)}`;",
    "js": f"const clientSecret = '{made(40)}';",
    "ruby": f"config.secret_key_base = '{made(128, HEX)}'",
    "ruby, arrow": f":password => '{HUMAN}'",
    "php": f"define('AUTH_KEY', '{made(64)}');",
    "setter": f'conn.setPassword("{HUMAN}");',
    "method": f'builder.apiKey("{made(40)}")',
    "toml": f'token = "{made(40)}"',
    "ini": f"aws_secret_access_key = {made(40)}",
    "properties": f"spring.datasource.password={HUMAN}",
    "npmrc": f"//registry.npmjs.org/:_authToken={made(36)}",
    "flag": f"mysql --user=root --password={HUMAN} tea",
    "flag, apart": f"login --token {made(36)} --yes",
    "element": f"<password>{HUMAN}</password>",
    "attribute": f'<add key="DbPassword" value="{HUMAN}" />',
    "connection string": f'"Server=sql1.kettle.io;User Id=sa;Password={HUMAN};"',
    "bearer": f'"Authorization: Bearer {made(40)}"',
    "basic": f'-H "Authorization: Basic {_basic("ann:" + HUMAN)}"',
    "hex key": f'ENCRYPTION_KEY = "{made(64, HEX)}"',
    "base64 key": f'JWT_SECRET: "{made(43, ALNUM + "+/")}="',
    "typed password": 'MYSQL_ROOT_PASSWORD: "W1nt3r' + '!Kettle"',
    "typed password, short": "db_pass = 'Xk9" + "#mQ2z'",
    "commented out": f'# api_key = "{made(32)}"',
    "compared": f'if token == "{made(32)}":',
    "Django": f"SECRET_KEY = 'django-{made(50)}'",
    "passphrase": f'passphrase = "{made(20)}"',
    "webhook secret": f'WEBHOOK_SECRET="{made(32)}"',
    "staging": f'DB_PASSWORD_STAGING="{HUMAN}"',
    "second": f'API_KEY_2="{made(32)}"',
    "credential": f'"credential": "{made(32)}"',
    "session": f'app.secret_key = b"{made(32)}"',
    "hmac": f'hmacKey: "{made(32)}"',
}

_LINES = """
password = os.environ['PASSWORD']
password = os.environ.get("DB_PASSWORD", "")
password = getenv("DB_PASSWORD")
const token = process.env.GITHUB_TOKEN
token := os.Getenv("GH_TOKEN")
api_key = settings.OPENAI_API_KEY
secret_key = config["SECRET_KEY"]
secret_key = get_the_secret_key_from_settings
password = "your-password-here"
password = "changeme"
password = "change_me_please_1!"
API_KEY=<your-api-key>
API_KEY="your_api_key_goes_here_1234"
api_key = "xxxxxxxxxxxxxxxxxxxxxxxx"
api_key: "sk-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
token = "ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
GITHUB_TOKEN=ghp_0123456789abcdefghijklmnopqrstuvwxyz
key = AKIAIOSFODNN7EXAMPLE
aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY
secret = "correct horse battery"
secret: "tea and biscuits at four"
api_key = "${API_KEY_FROM_VAULT}"
password: {{ .Values.database.password }}
password: "{{ vault_db_password }}"
password: ${{ secrets.DB_PASSWORD }}
token: $(cat /run/secrets/token)
password = "%s"
"password": "%(password)s"
password: "#{ENV['DB_PASSWORD']}"
password: <%= ENV["DB_PASSWORD"] %>
password = f"{user}-{salt}"
url = 'postgresql://user:password@localhost/db'
url = "postgresql://postgres:postgres@db:5432/app"
DATABASE_URL=postgres://saleor:saleor@localhost:5432/saleor
DATABASE_URL=mysql://root:S3cretRoot9@127.0.0.1/tea
REDIS_URL=redis://:Zx91kQw02LpA@redis:6379/0
proxy="http://username:password@localhost:8030"
proxies = {"http": "http://user:pass@10.10.1.10:3128/"}
url = "http://user:passwd@example.com/"
url = "https://user:Secr3tPass@example.org/path"
url = "https://ann:ann@kettle.io"
url = "http://username:password@proxy.kettle.io:8080"
url = f"https://{user}:{password}@kettle.io"
url = "https://%s:%s@kettle.io" % (user, password)
url = "https://$USER:$PASSWORD@kettle.io"
url = "ftp://anonymous:guest@ftp.kettle.io"
amqp://guest:guest@rabbitmq:5672//
mongodb://mongo:Kq81mzPw02@mongo.docker.internal/tea
re.compile(r"://[^:]+:[^@]+@[^/]+")
access_token_url = "https://github.com/login/oauth/access_token"
token_url: https://oauth2.kettle.io/v1/token
"token_endpoint": "https://kettle.io/oauth2/v2.0/token"
SECRET_NAME = "prod/tea/database-password-2024"
secret_name: kettle-tls-cert-2024-v2a
secretName: "my-app-secret-9f8d7c6b5a4e"
API_KEY_HEADER = "X-Kettle-Api-Key-V2"
api_key_header = 'X-API-Key'
private_key_path = "/etc/tea/keys/id_ed25519"
private_key_file: app.2024-01-01.private-key.pem
PRIVATE_KEY = "certs/server.key"
ssl_key_password_file = "/run/secrets/ssl9f8e7d"
token_hash = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
password_hash = 0123456789012345678901234567
password_digest = "$2b$12$EixZaYVK1fsbw1ZfbX3OXePaWxn96p36WQoeG6Lruj3vjPGga31lW"
password = "$2b$12$EixZaYVK1fsbw1ZfbX3OXePaWxn96p36WQoeG6Lruj3vjPGga31lW"
password = "pbkdf2_sha256$260000$Zx91kQw02LpA$7Xb5HsJ1dFg9aQe"
secret_id = "9f86d081-884c-4d65-9a2f-eaa0c55ad015"
api_key = "550e8400-e29b-41d4-a716-446655440000"
token_count = 'twelve tokens'
token: kettle-green-tea-brewing-service-account
TOKEN_LIMIT=100000000000000000000000000
MAX_TOKENS=4096
api_key=ReadTheApiKeyFromTheEnvironment2024
"password.reset.title": "Passwort zurücksetzen"
"forgot_password": "Mot de passe oublié ?"
"password": "Passwort"
"login.password": "Kennwort-Eingabe"
password: "Contraseña2024!"
"enter_password_2fa": "Enter-the-2FA-Password"
msgid "Your password can't be too similar"
PASSWORD_REGEX = "^(?=.*[A-Z])(?=.*\\d)[A-Za-z\\d!]{12,}$"
password_pattern: '[A-Za-z0-9!@#]{8,64}'
token = "[a-zA-Z0-9]{32,64}"
secret = r"\\b[0-9a-f]{32}\\b"
WAGTAIL_PASSWORD_REQUIRED_TEMPLATE = "myapp/password_required.html"
WAGTAILADMIN_USER_PASSWORD_RESET_FORM = "users.forms.PasswordResetForm"
AUTH_PASSWORD_VALIDATORS = "django.contrib.auth.password_validation.MinimumLengthValidator"
password_input = "input[type=password]"
password_field = "user_password_field_2"
password_label = "Password1!"
input_type = "password"
type: "password", name: "new_password1"
autocomplete="current-password"
SecretName:  "cool_dependabot_secret",
secret = "cool_dependabot_secret"
secrets: inherit
secret: true
token: "${{ github.token }}"
token: ${{ secrets.GITHUB_TOKEN }}
id-token: write
permissions: {id-token: write, contents: read}
nextPageToken = "CAUQAA9f8e7d6c5b4a3f2e1d"
page_token: 'Cg9f8e7d6c5b4a3f2e1dCAUQAA'
csrf_token = "9f8e7d6c5b4a3f2e1dCAUQAA"
public_key = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE9f8e7d6c5b4a"
PUBLIC_KEY: "9f8e7d6c5b4a3f2e1d0c9f8e7d6c5b4a3f2e1d0c"
ssh_key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPz9f8e7d6c5b4a"
-----BEGIN PUBLIC KEY-----
-----BEGIN CERTIFICATE-----
stripe_key = "pk_live_9f8e7d6c5b4a3f2e1d0c9f8e"
recaptcha_site_key = "6LeIxAcTAAAAAJcZVRqyHh71UMIEGNQ_MXjiZKhI"
integrity="sha384-oqVuAfXRKap7fdgcCY5uykM6+R9GqQ8K/uxy9rx7HNQlGYl1kPzQho1wx4JwY8wC"
"integrity": "sha512-9f8e7d6c5b4a3f2e1d0c9f8e7d6c5b4a3f2e1d0c9f8e7d6c5b4a3f2e1d0c=="
sha256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
rev = "da39a3ee5e6b4b0d3255bfef95601890afd80709"
uses: actions/checkout@11bd71901bbe5b1630ceea73d27597364c9af683
secure: "Zx91kQw02LpAZx91kQw02LpA7Xb5HsJ1dFg9aQe"
password: ENC[AES256_GCM,data:Zx91kQw02LpA,iv:7Xb5HsJ1dFg9aQe]
secret: arn:aws:secretsmanager:eu-west-1:123456789012:secret:tea-Ab1Cd2
password: op://vault/tea/password9A
secret: projects/123456/secrets/tea/versions/3a
encrypted_password = "Zx91kQw02LpAZx91kQw02LpA7Xb5"
fake_token = "Zx91kQw02LpAZx91kQw02LpA7Xb5"
TEST_API_KEY = "Zx91kQw02LpAZx91kQw02LpA7Xb5"
const mockSecret = 'Zx91kQw02LpAZx91kQw02LpA7Xb5'
password = "hunter2"
password: postgres
POSTGRES_PASSWORD: saleor
password = "secret"
password="password"
admin_password = "admin"
user="tea-Admin1", password="tea-Admin1"
secretKey = "not-a-real-secret-key-1a2b3c"
SECRET_KEY = "insecure-dev-9f8e7d6c5b4a3f2e"
Authorization: Bearer <token>
Authorization: Bearer YOUR_ACCESS_TOKEN_123
"Authorization": f"Bearer {token}"
Authorization: Basic dXNlcjpwYXNzd29yZA==
Authorization: Basic dXNlcm5hbWU6dXNlcm5hbWU=
if "-----BEGIN RSA PRIVATE KEY-----" in text:
if pem.startswith("-----BEGIN PRIVATE KEY-----"):
const pem = `-----BEGIN PRIVATE KEY-----\\n${base64Key}\\n-----END PRIVATE KEY-----`
r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*"
"-----BEGIN PRIVATE KEY-----\\n...\\n-----END PRIVATE KEY-----"
The prefixes `sk_test_` and `sk_live_` tell the mode.
stripe.api_key = "sk_test_4eC39HqLyjWDarjtT1zdp7dc"
eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6IkpvaG4gRG9lIiwiaWF0IjoxNTE2MjM5MDIyfQ.SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c
def set_password(self, password: str) -> None:
self.assertEqual(user.password, other.password)
password: Annotated[str, Field(min_length=8, max_length=64)]
token: Token = tokens.pop(0)
tokenizer = "bert-base-uncased-v2-9a8b7c"
primary_key = "id"
sort_key = "created_at_2024"
cache_key = "user:9f8e7d6c5b4a3f2e1d"
key = "9f8e7d6c5b4a3f2e1d0c"
foreign_key: tea_pot_id
keyboard = "qwertz-2024-layout"
<input type="password" name="password" placeholder="Passw0rd!" />
<label for="password">Password</label>
passenger_name = "Ann-Marie2!"
compass = "North-West-3!"
bypass: "Route66-Detour"
secretary = "Ann9f8e7d6c5b4a"
tokens.push("9f8e7d6c5b4a3f2e")
--token-file /run/secrets/9f8e7d
--password-stdin
kubectl create secret generic tea --from-literal=name=value
    password = models.CharField(max_length=128)
export const PASSWORD_RESET = "auth/PASSWORD_RESET_2"
accessToken: z.string().min(1)
password!: string
"""
NONE = [line for line in _LINES.splitlines() if line.strip()]
"""Samples, names and addresses of secrets, what is looked up, templates, hashes, public keys, words."""
