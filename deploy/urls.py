"""Mounts the urls of the apps and the two health pages; holds no views."""

from importlib import import_module
from importlib.util import find_spec

from django.urls import URLPattern, URLResolver, include, path

from deploy import health

_PREFIXES = {
    "customer": "app/",
    "workspace": "workspace/",
    "console": "console/",
    "studio": "studio/",
    "api": "api/",
}

urlpatterns: list[URLPattern | URLResolver] = [
    path("health/live", health.live, name="health-live"),
    path("health/ready", health.ready, name="health-ready"),
]
for _name, _prefix in _PREFIXES.items():
    if find_spec(f"apps.{_name}.urls"):
        _module = import_module(f"apps.{_name}.urls")
        urlpatterns += getattr(_module, "root_urlpatterns", [])
        urlpatterns.append(path(_prefix, include(f"apps.{_name}.urls")))

if find_spec("apps.customer.front.views"):
    handler400 = "apps.customer.front.views.bad_request"
    handler403 = "apps.customer.front.views.forbidden"
    handler404 = "apps.customer.front.views.not_found"
    handler500 = "apps.customer.front.views.failed"
