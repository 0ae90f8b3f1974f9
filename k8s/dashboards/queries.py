"""The queries' common parts: which processes, over which time, and how series are put together."""

from grafana import Query

TARGET = 'job=~"$job",namespace=~"$namespace",instance=~"$instance"'
# Of series that have a provider and a model.
PLACED = 'gen_ai_provider_name=~"$provider",gen_ai_request_model=~"$model"'
# Whose failures count against availability.
OURS = 'error_type=~"(provider|gateway)_.+"'
NOT_THEIRS = 'error_type!~"(caller|policy)_.+"'


def selector(*parts: str) -> str:
    return "{" + ",".join([TARGET, *(part for part in parts if part)]) + "}"


def gauge(name: str, labels: str = "", placed: bool = False) -> str:
    return name + selector(PLACED if placed else "", labels)


def rate(name: str, labels: str = "") -> str:
    return f"rate({name}{selector(labels)}[$__rate_interval])"


def model_rate(name: str, labels: str = "") -> str:
    """Of a family that is split by provider and model."""
    return f"rate({name}{selector(PLACED, labels)}[$__rate_interval])"


def by(labels: str, query: str) -> str:
    return f"sum by ({labels}) ({query})"


def count(query: str) -> str:
    return f"count({query})"


def or_zero(query: str) -> str:
    """Where nothing is counted because nothing has happened yet."""
    return f"({query}) or vector(0)"


def ratio(part: str, whole: str, summed: bool = False) -> str:
    """- Parameter summed: they have been, by the same labels."""
    return f"{part} / {whole}" if summed else f"sum({part}) / sum({whole})"


def share_of_requests() -> str:
    """Good ones among those that neither the caller nor a policy is to blame for."""
    bad = or_zero(f"sum({rate('sluice_requests_total', OURS)})")
    return f"1 - ({bad}) / sum({rate('sluice_requests_total', NOT_THEIRS)})"


def owner_rate() -> str:
    """Errors by the first word of their type."""
    errors = by("error_type", rate("sluice_requests_total", 'error_type!=""'))
    return f'sum by (owner) (label_replace({errors}, "owner", "$1", "error_type", "([a-z]+)_.*"))'


def quantile(share: float, family: str, condition: str = "", labels: str = "") -> str:
    """Of a histogram, whichever way it is split; `labels` stay."""
    buckets = (model_rate if family.startswith("gen_ai_") else rate)(family + "_bucket", condition)
    return f"histogram_quantile({share}, {by('le' + (', ' + labels if labels else ''), buckets)})"


def quantiles(family: str, condition: str = "") -> tuple[Query, ...]:
    return tuple(Query(quantile(share, family, condition), name) for share, name in [(0.5, "p50"), (0.95, "p95"), (0.99, "p99")])
