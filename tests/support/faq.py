"""The small FAQ that most tests load into the workspace `demo`."""

FAQ = b"""question,answer,alternatives,tags
How do I reset my password?,"Click **Forgot password** on the login page and follow the link in the e-mail.",\
I forgot my password | cant log in password lost,account
How do I export my data?,"Open **Settings > Export** and choose CSV.",download all my data | get my data out,data
What is your refund policy?,"You can return any plan within 30 days.",how do refunds work | money back rules,billing
Which browsers are supported?,"The last two versions of Chrome, Firefox, Safari and Edge.",\
does it run in firefox | browser requirements,technical
"""
