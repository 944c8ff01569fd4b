"""Addresses of the employee's workspace, mounted at /workspace/."""

from django.urls import path

from apps.workspace import cases, customers, queue

app_name = "workspace"
urlpatterns = [
    path("", queue.show, name="queue"),
    path("tasks/<uuid:task_id>/", queue.open_task, name="task"),
    path("tasks/<uuid:task_id>/claim/", queue.claim, name="claim"),
    path("tasks/<uuid:task_id>/give-back/", queue.give_back, name="give_back"),
    path("tasks/<uuid:task_id>/answer/", cases.answer, name="answer"),
    path("tasks/<uuid:task_id>/return/", cases.return_task, name="return"),
    path("cases/", cases.index, name="cases"),
    path("cases/<uuid:case_id>/", cases.show, name="case"),
    path("cases/<uuid:case_id>/drawing.bpmn", cases.drawing, name="drawing"),
    path("documents/<uuid:document_id>/", cases.document, name="document"),
    path("customers/", customers.index, name="customers"),
    path("customers/<uuid:customer_id>/", customers.show, name="customer"),
]
