from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [("interaction", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="turn",
            name="reached",
            field=models.TextField(db_collation="C", default=""),
        ),
    ]
