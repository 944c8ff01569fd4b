"""Mounts the urls of each app that has some; holds no views of its own but health."""

from importlib.util import find_spec

from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [
    path(f"{name}/", include(f"apps.{name}.urls"))
    for name in ("customer", "workspace", "console", "studio", "api")
    if find_spec(f"apps.{name}.urls")
]
